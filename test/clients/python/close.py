"""The server answers Close with the same code and reason, and ends TCP: websockets waits for both."""

import asyncio
import sys

import websockets
from websockets.frames import Close


async def main(url):
    ws = await websockets.connect(url)
    await ws.close(4001, "genug für heute")
    assert ws.close_rcvd == Close(4001, "genug für heute"), ws.close_rcvd
    assert ws.close_rcvd_then_sent is False

    async with websockets.connect(url) as ws:
        await ws.send("last words")
        assert await ws.recv() == "last words"
    assert ws.close_rcvd == Close(1000, ""), ws.close_rcvd


asyncio.run(main(sys.argv[1]))
