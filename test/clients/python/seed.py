"""The handler of the WebSocket skill."""

import asyncio
import sys

import websockets


async def main(url):
    async with websockets.connect(url) as ws:
        await ws.send("hello")
        assert await ws.recv() == "echo: hello"


asyncio.run(main(sys.argv[1]))
