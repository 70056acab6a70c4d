"""Sub-protocols and origins: who is let in, and with which HTTP status the others are not."""

import asyncio
import sys
from urllib.parse import urlsplit

import websockets


async def refused(url, status, **options):
    try:
        await websockets.connect(url, **options)
    except websockets.InvalidStatusCode as error:
        assert error.status_code == status, error
    else:
        raise AssertionError(f"let in with {options}")


async def main(url):
    async with websockets.connect(url, subprotocols=["x", "chat"]) as ws:
        assert ws.subprotocol == "chat", ws.subprotocol
    async with websockets.connect(url) as ws:
        assert ws.subprotocol is None, ws.subprotocol
    await refused(url, 400, subprotocols=["x", "y"])

    async with websockets.connect(url, origin=f"http://{urlsplit(url).netloc}") as ws:
        await ws.ping()
    await refused(url, 403, origin="http://elsewhere.example")
    await refused(url, 403, origin="null")


asyncio.run(main(sys.argv[1]))
