# image: a plain start has no event loop, for want of sockets
import asyncio


async def double(n):
    await asyncio.sleep(0.001 * n)
    return 2 * n


async def main():
    results = await asyncio.gather(*(double(n) for n in (3, 1, 2)))
    async with asyncio.timeout(5):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(double(4), name="four")
    print(results, task.result(), asyncio.current_task().get_name())
    queue = asyncio.Queue()
    await queue.put(1)
    print(await queue.get())
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.01)
    except TimeoutError:
        print("timed out")


try:
    asyncio.new_event_loop().close()
except OSError as e:
    raise SystemExit(str(e))
asyncio.run(main())
