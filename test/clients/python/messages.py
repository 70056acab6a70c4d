"""Text and binary of every size come back as they went."""

import asyncio
import sys

import websockets

TEXTS = ["Hello, world", "Grüße, 世界, 🧵, e\u0301, \u0000 and \U0010ffff", "", "x" * 65536]
SIZES = [0, 1, 125, 126, 65535, 65536, 300_000]


async def main(url):
    async with websockets.connect(url) as ws:
        for message in TEXTS + [bytes(i * 7 % 251 for i in range(size)) for size in SIZES]:
            await ws.send(message)
            answer = await ws.recv()
            assert answer == message, (len(message), type(answer), len(answer))


asyncio.run(main(sys.argv[1]))
