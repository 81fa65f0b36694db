# image: a plain start has no event loop, for want of sockets
import asyncio


async def main():
    await asyncio.get_running_loop().create_future()


try:
    asyncio.run(main())
except RuntimeError as e:
    print(e)
except OSError:
    pass
