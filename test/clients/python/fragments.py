"""Messages in fragments: websockets sends an iterable as one frame for each item."""

import asyncio
import sys

import websockets


async def slowly(parts):
    """Lets other work, such as reading, go on between the fragments."""
    for part in parts:
        yield part
        await asyncio.sleep(0)


async def main(url):
    async with websockets.connect(url) as ws:
        await ws.send(["a 🧵 ", "", "of ", "fragments"])
        assert await ws.recv() == "a 🧵 of fragments"

        await ws.send(slowly(["ä", "ö", "ü"]))
        assert await ws.recv() == "äöü"

        parts = [bytes([i]) * 1000 for i in range(100)]
        await ws.send(parts)
        assert await ws.recv() == b"".join(parts)

        await ws.send(slowly(parts))
        assert await ws.recv() == b"".join(parts)


asyncio.run(main(sys.argv[1]))
