"""Says 'connected', then the server is stopped: every client is told 1001."""

import asyncio
import sys

import websockets
from websockets.frames import Close


async def main(url):
    clients = await asyncio.gather(*(websockets.connect(url) for _ in range(20)))
    print("connected", flush=True)
    for ws in clients:
        await ws.wait_closed()
        assert ws.close_rcvd == Close(1001, ""), ws.close_rcvd


asyncio.run(main(sys.argv[1]))
