"""1,000 messages, all sent before the first answer is taken, come back in order."""

import asyncio
import sys

import websockets


async def main(url):
    sent = [f"message {i}" for i in range(1000)]
    async with websockets.connect(url, max_queue=None) as ws:
        for message in sent:
            await ws.send(message)
        assert [await ws.recv() for _ in sent] == sent


asyncio.run(main(sys.argv[1]))
