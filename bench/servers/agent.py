"""
An agent channel with asyncio and `websockets`: a process that is asked as `process.ts` is, over the channel that Node has
opened, a line of JSON for each message.
"""
import asyncio
import json
import os
import signal
import socket
import time
import uuid

try:
    import websockets
except ImportError:
    websockets = None

TEXT = 'the next few words, '


def to_frame(**fields):
    return json.dumps(fields, ensure_ascii=False, separators=(',', ':'))


async def serve_client(ws):
    try:
        await answer(ws)
    except websockets.ConnectionClosed:
        pass


async def answer(ws):
    loop = asyncio.get_running_loop()
    chat_id = str(uuid.uuid4())
    client_id = f'anon-{uuid.uuid4().hex[:12]}'
    await ws.send(to_frame(event='ready', chat_id=chat_id, client_id=client_id))
    turn = 0
    async for message in ws:
        turn += 1
        stream_id = f'{chat_id[:8]}.{turn}.0'
        deltas, every = map(int, message.split())
        start = loop.time()
        # When the next one is due, not when the last was sent: an agent does not fall behind by itself.
        for at in range(deltas):
            wait = start + at * every / 1000 - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            await ws.send(to_frame(event='delta', text=TEXT, stream_id=stream_id))
        await ws.send(to_frame(event='stream_end', stream_id=stream_id))


async def main():
    channel = socket.socket(fileno=int(os.environ['NODE_CHANNEL_FD']))
    questions, answers = await asyncio.open_unix_connection(sock=channel)

    def tell(answer):
        answers.write(json.dumps(answer).encode() + b'\n')

    if websockets is None:
        tell('/usr/bin/python3 has no websockets: apt-get install python3-websockets')
    else:
        # As ours: a client that only counts answers no pings.
        server = await websockets.serve(serve_client, '127.0.0.1', 0, ping_interval=300)
        tell([server.sockets[0].getsockname()[1]])
    async for question in questions:
        # Microseconds used since the start, user and system, as the kernel counts them.
        tell([time.process_time_ns() // 1000] if json.loads(question) == 'cpu' else [])
    # Nobody is left to say goodbye to.
    os._exit(0)


signal.signal(signal.SIGINT, signal.SIG_DFL)
asyncio.run(main())
