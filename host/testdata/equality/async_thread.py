# image: a plain start has no event loop, for want of sockets
import asyncio


async def main():
    await asyncio.to_thread(print, "in a thread")


try:
    asyncio.run(main())
except (ImportError, OSError, RuntimeError) as e:
    print(type(e).__name__, e)
