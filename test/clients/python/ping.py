"""A ping brings its payload back: websockets resolves the waiter of that payload only."""

import asyncio
import sys

import websockets


async def main(url):
    async with websockets.connect(url, ping_interval=None) as ws:
        for payload in b"payload", bytes(range(125)):
            await (await ws.ping(payload))

        waiters = [await ws.ping(b"%d" % i) for i in range(10)]
        await asyncio.gather(*waiters)

        # Between the fragments of a message
        async def parts():
            yield "one, "
            await (await ws.ping(b"between"))
            yield "two"

        await ws.send(parts())
        assert await ws.recv() == "one, two"


asyncio.run(main(sys.argv[1]))
