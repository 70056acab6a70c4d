"""16 MB of text and of binary; prints what it took."""

import asyncio
import random
import sys
import time

import websockets

TEXT = "abcdé€🧵fg\n" * (1 << 20)
BINARY = random.Random(1).randbytes(16 << 20)


async def main(url):
    assert len(TEXT.encode()) == 16 << 20
    async with websockets.connect(url, max_size=64 << 20) as ws:
        for name, message in ("text", TEXT), ("binary", BINARY):
            start = time.monotonic()
            await ws.send(message)
            answer = await ws.recv()
            took = (time.monotonic() - start) * 1000
            assert answer == message, (name, len(message), len(answer))
            print(f"python: 16 MB of {name} there and back in {took:.0f} ms")


asyncio.run(main(sys.argv[1]))
