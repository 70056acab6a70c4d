import { setImmediate as turn } from 'node:timers/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { openLoad } from '../../bench/loads/index.ts'
import { answerLength, masked, open, openMember } from '../../bench/loads/peer.ts'
import type { Target } from '../../bench/server-process.ts'
import { readFrames } from '../support/frames.ts'
import { spin } from '../support/spin.ts'

/** Where the header of an HTTP message ends. */
const HEADER_END = '\r\n\r\n'

const servers: { server: Server; sockets: Set<Socket> }[] = []
afterEach(() => {
  for (const { server, sockets } of servers.splice(0)) {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
})

/** A TCP server; its port. */
async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    onSocket(socket)
  })
  servers.push({ server, sockets })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** What a server does with `count` messages of `size` bytes that have arrived; `answer` sends as many echoes. */
type Behaviour = (count: number, answer: (count: number) => void) => void

const echo: Behaviour = (count, answer) => answer(count)

/** A server in this process that answers each message of a size, as `behaviour` has it. */
async function serve(size: number, behaviour: Behaviour = echo): Promise<Target & { connections(): number }> {
  const length = masked(size).length
  let connections = 0
  const port = await listen((socket) => {
    connections++
    let head = ''
    let part = 0
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      if (!head.includes(HEADER_END)) {
        head += chunk.toString('latin1')
        if (head.includes(HEADER_END)) socket.write(`HTTP/1.1 101 Switching Protocols${HEADER_END}`)
        return
      }
      part += chunk.length
      const count = Math.floor(part / length)
      part -= count * length
      behaviour(count, (answers) => {
        for (let i = 0; i < answers; i++) socket.write(Buffer.alloc(answerLength(size)))
      })
    })
  })
  let cpu = 0
  return {
    port,
    // As if each question had cost a millisecond.
    ask: () => Promise.resolve([(cpu += 1000)]),
    connections: () => connections,
  }
}

describe('frames', () => {
  it.each([0, 1, 64, 125, 126, 1024, 65_535, 65_536, 1 << 24])('a message of %d bytes is one masked frame', (size) => {
    const frame = masked(size)
    expect(frame[0]).toBe(0x81)
    expect((frame[1] ?? 0) & 0x80).toBe(0x80)
    // Masked, so four bytes longer than what a server sends.
    expect(frame.length).toBe(answerLength(size) + 4)
    const key = frame.subarray(frame.length - size - 4, frame.length - size)
    const payload = frame.subarray(frame.length - size).map((byte, i) => byte ^ (key[i & 3] ?? 0))
    expect(payload.every((byte) => byte === 0x61)).toBe(true)
    const unmasked = Buffer.concat([Buffer.from([0x81, (frame[1] ?? 0) & 0x7f]), frame.subarray(2, -size - 4), payload])
    expect(readFrames(unmasked).frames[0]?.payload.length).toBe(size)
  })
})

describe('a connection', () => {
  it('fails with what the server has answered', async () => {
    const port = await listen((socket) => void socket.end(`HTTP/1.1 403 Forbidden${HEADER_END}`))
    await expect(open(port, '/', () => {})).rejects.toThrow('no upgrade: HTTP/1.1 403 Forbidden')
  })

  it('fails when the server closes it without a word', async () => {
    const port = await listen((socket) => void socket.end())
    await expect(open(port, '/', () => {})).rejects.toThrow('closed')
  })
})

describe('lockstep', () => {
  it('counts the messages that come back, and shares the CPU between them', async () => {
    let messages = 0
    const server = await serve(64, (count, answer) => {
      messages += count
      answer(count)
    })
    const load = await openLoad(server, { kind: 'lockstep', connections: 3, inFlight: 4, size: 64, path: '/echo' })
    const { cost, rate, server: cores } = await load.run(50)
    load.close()
    expect(messages % 12).toBe(0)
    expect(cost).toBeCloseTo(1000 / messages, 6)
    expect(cores).toBeCloseTo((cost * rate) / 1e6, 6)
  })

  it('a server that answers too often ends the measurement', async () => {
    const server = await serve(64, (count, answer) => answer(count + 1))
    const load = await openLoad(server, { kind: 'lockstep', connections: 1, inFlight: 1, size: 64, path: '/echo' })
    await expect(load.run(50)).rejects.toThrow('the server has sent 66 bytes of answers too many')
    load.close()
  })

  it('one that answers too little does so too', async () => {
    const server = await serve(64, (count, answer) => answer(count - 1))
    const load = await openLoad(server, { kind: 'lockstep', connections: 1, inFlight: 2, size: 64, path: '/echo' })
    await expect(load.run(50)).rejects.toThrow('the server has not sent')
    load.close()
  })
})

describe('paced', () => {
  it('sends at its rate, in turn over its connections', async () => {
    const server = await serve(64)
    const load = await openLoad(server, { kind: 'paced', connections: 5, rate: 1000, size: 64 })
    const { rate, cost, latency } = await load.run(300)
    load.close()
    expect(server.connections()).toBe(5)
    // 300 messages; the time includes that of the last answers.
    expect(cost).toBeCloseTo(1000 / 300, 6)
    // The last is due a millisecond before they are over.
    expect(rate).toBeLessThanOrEqual((1000 * 300) / 299)
    expect(latency?.p50).toBeGreaterThan(0)
    expect(latency?.p50).toBeLessThanOrEqual(latency?.p99 ?? 0)
    expect(latency?.p999).toBeLessThanOrEqual(latency?.max ?? 0)
  })

  it('a stall counts for all messages that come due in it, not only for the one that met it', async () => {
    // From 200 ms after the first message on the server holds what comes, for 200 ms.
    let held: (() => void)[] | null = null
    let heard = false
    const server = await serve(64, (count, answer) => {
      if (!heard) {
        setTimeout(() => (held = []), 200)
        setTimeout(() => {
          for (const fn of held ?? []) fn()
          held = null
        }, 400)
      }
      heard = true
      if (held === null) answer(count)
      else held.push(() => answer(count))
    })
    // One connection: a client that waited for its answer would see one slow message of 800.
    const load = await openLoad(server, { kind: 'paced', connections: 1, rate: 1000, size: 64 })
    const { latency } = await load.run(1000)
    load.close()
    // Microseconds. The slowest hundredth has met the beginning of the stall.
    expect(latency?.p99).toBeGreaterThan(150_000)
    // The stall is not smeared over the others.
    expect(latency?.p50).toBeLessThan(100_000)
    expect(latency?.max).toBeGreaterThanOrEqual(latency?.p99 ?? 0)
  })

  it('a client that is late itself says so', async () => {
    const server = await serve(64)
    const load = await openLoad(server, { kind: 'paced', connections: 1, rate: 1000, size: 64 })
    // This process is the client.
    setTimeout(() => spin(100), 100)
    const { latency } = await load.run(500)
    load.close()
    expect(latency?.late).toBeGreaterThan(80_000)
  })
})

describe('files', () => {
  const body = 'x'.repeat(100)
  /** A server of one file, that says a length and sends another. */
  const serveFile = async (status = 200, length = body.length, sent = body): Promise<Target> => {
    let cpu = 0
    const port = await listen((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        const requests = chunk.toString('latin1').split(HEADER_END).length - 1
        for (let i = 0; i < requests; i++) {
          socket.write(`HTTP/1.1 ${status} x\r\nContent-Length: ${length}${HEADER_END}`)
          // In two pieces, as a large file comes.
          socket.write(sent.slice(0, 50))
          socket.write(sent.slice(50))
        }
      })
    })
    return { port, ask: () => Promise.resolve([(cpu += 1000)]) }
  }
  const load = { kind: 'files', connections: 3, path: '/x', size: 100 } as const

  it('counts the files that come back, and shares the CPU between them', async () => {
    const running = await openLoad(await serveFile(), load)
    const { cost, rate } = await running.run(50)
    expect(rate).toBeGreaterThan(0)
    const requests = Math.round(1000 / cost)
    expect(requests % 3).toBe(0)
    expect(requests).toBeGreaterThanOrEqual(3)
    running.close()
  })

  it.each([
    ['an error', 404, 100, body, /not 200 with a length: HTTP.1.1 404/],
    ['another file', 200, 99, body.slice(1), /not the file of 100 bytes/],
    ['more than it said', 200, 100, `${body}x`, /1 bytes too many/],
  ])('%s ends the measurement', async (_what, status, length, sent, error) => {
    const running = await openLoad(await serveFile(status, length, sent), load)
    await expect(running.run(20)).rejects.toThrow(error)
  })
})

describe('the member of a gateway', () => {
  const upgraded = Buffer.from(`HTTP/1.1 101 Switching Protocols${HEADER_END}`)
  const text = (size: number): Buffer => {
    const frame = Buffer.alloc(answerLength(size), 'x')
    masked(size).copy(frame, 0, 0, frame.length - size)
    frame[1] = (frame[1] ?? 0) & 0x7f
    return frame
  }
  /** A server that writes these, one after the other, and seven bytes when it is asked again. */
  const say = (...pieces: readonly Buffer[]): Promise<number> =>
    listen((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        pieces.forEach((piece, i) => setTimeout(() => socket.write(piece), i * 5))
        socket.once('data', () => socket.write(Buffer.alloc(7)))
      })
    })

  it.each([10, 125, 126, 65_535, 65_536, 1 << 20])('reads past a READY of %d bytes, however it comes', async (size) => {
    const ready = text(size)
    const at = [1, 3, 9].map((end) => Math.min(end, ready.length))
    const rest = [0, ...at].map((start, i) => ready.subarray(start, at[i] ?? ready.length))
    for (const pieces of [[Buffer.concat([upgraded, ready])], [upgraded, ready], [upgraded, ...rest]]) {
      let late = 0
      const socket = await openMember(await say(...pieces), 'x', (bytes) => (late += bytes))
      socket.write('more')
      await expect.poll(() => late).toBe(7)
    }
  })

  it.each([
    ['who gets more than READY', [upgraded, Buffer.concat([text(20), text(1)])], 'more than READY'],
    ['who gets something else', [upgraded, Buffer.from('8802', 'hex')], 'not a whole text: 8802'],
    ['who is refused', [Buffer.from(`HTTP/1.1 401 Unauthorized${HEADER_END}`)], 'no upgrade: HTTP/1.1 401'],
  ])('one %s fails', async (_what, pieces, error) => {
    await expect(openMember(await say(...pieces), 'x', () => {})).rejects.toThrow(error)
  })
})

describe('posts', () => {
  const list = JSON.stringify([{ id: 'some' }])
  const posted = 'x'.repeat(100)
  /** A gateway that delivers each post to each of its members so many times, and takes no more than `most`. */
  const serveGateway = async (times = 1, most = Infinity): Promise<Target & { posts(): number }> => {
    const members = new Set<Socket>()
    let posts = 0
    let cpu = 0
    const port = await listen((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        const request = chunk.toString('latin1')
        const give = (status: string, body: string): void =>
          void socket.write(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}${HEADER_END}${body}`)
        if (request.startsWith('GET /ws?bot_token=0000')) {
          socket.write(`HTTP/1.1 101 Switching Protocols${HEADER_END}\x81\x02{}`, 'latin1')
          members.add(socket)
        } else if (request.startsWith('GET /servers')) give('200 OK', list)
        else if (request.startsWith('POST /channels/some/messages ')) {
          if (++posts > most) {
            socket.destroy()
            return
          }
          const frame = Buffer.alloc(answerLength(posted.length + 43))
          for (const member of members) for (let i = 0; i < times; i++) member.write(frame)
          give('201 Created', posted)
        } else give('404 Not Found', '')
      })
    })
    return { port, ask: () => Promise.resolve([(cpu += 1000)]), posts: () => posts }
  }
  const world = { accounts: 3, servers: 1, channels: 1, unread: 0 }

  it.each([
    ['counts deliveries', 3, 3],
    ['without members posts', 0, 1],
  ])('%s', async (_what, members, each) => {
    const server = await serveGateway()
    const load = await openLoad(server, { kind: 'posts', members, clients: 2, world })
    const { cost } = await load.run(50)
    load.close()
    // The first, which tells how long answers are, is not counted.
    const counted = server.posts() - 1
    expect(counted % 2).toBe(0)
    expect(cost).toBeCloseTo(1000 / (each * counted), 6)
  })

  it('a server that closes a connection ends the measurement', async () => {
    const load = await openLoad(await serveGateway(1, 5), { kind: 'posts', members: 2, clients: 1, world })
    await expect(load.run(50)).rejects.toThrow('the server has closed 1 connections')
    load.close()
  })

  it('a server that delivers twice ends the measurement', async () => {
    const opened = openLoad(await serveGateway(2), { kind: 'posts', members: 2, clients: 1, world })
    await expect(opened).rejects.toThrow('bytes of deliveries too many')
  })
})

describe('stream', () => {
  const frame = (text: string): Buffer => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)])
  const delta = frame('{"event":"delta","text":"one","stream_id":"s"}')
  const end = frame('{"event":"stream_end","stream_id":"s"}')
  const ready = frame('{"event":"ready"}')
  const whole = (deltas: number): Buffer => Buffer.concat([...Array.from({ length: deltas }, () => delta), end])

  const cut = (bytes: Buffer, size: number): Buffer[] =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

  const sayBehind = async (before: Promise<void>, socket: Socket, pieces: readonly Buffer[]): Promise<void> => {
    await before
    for (const piece of pieces) {
      socket.write(piece)
      if (pieces.length > 1) await turn()
    }
  }

  /** An agent that answers each question at once, in pieces of a size; what it was asked. */
  const serveAgent = async (
    toAnswer: (deltas: number) => Buffer,
    size = Infinity,
  ): Promise<Target & { readonly questions: string[] }> => {
    let cpu = 0
    const questions: string[] = []
    const port = await listen((socket) => {
      let begun = false
      let written = Promise.resolve()
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        if (!begun) {
          begun = true
          socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 101 Switching Protocols${HEADER_END}`), ready]))
          return
        }
        const { frames } = readFrames(chunk)
        for (const { payload } of frames) {
          questions.push(payload.toString())
          const answer = toAnswer(Number.parseInt(payload.toString()))
          const pieces = size === Infinity ? [answer] : cut(answer, size)
          // Answers may overlap, their pieces not.
          written = sayBehind(written, socket, pieces)
        }
      })
    })
    return { port, ask: () => Promise.resolve([(cpu += 1000)]), questions }
  }
  const load = { kind: 'stream', connections: 3, deltas: 5, every: 4 } as const

  it('asks for as many answers as there is time for, and shares the CPU between their deltas', async () => {
    const server = await serveAgent(whole)
    const running = await openLoad(server, load)
    const { cost, rate, server: cores } = await running.run(40)
    running.close()
    expect(server.questions).toEqual(Array.from({ length: 6 }, () => '5 4'))
    expect(cost).toBeCloseTo(1000 / 30, 6)
    expect(cores).toBeCloseTo((cost * rate) / 1e6, 6)
    // 30 deltas in 40 ms; the last is due before they are over.
    expect(rate).toBeLessThan(1000)
  })

  it('asks for shorter ones where there is no time for one', async () => {
    const server = await serveAgent(whole)
    const running = await openLoad(server, load)
    await running.run(9)
    await running.run(1)
    running.close()
    expect(server.questions).toEqual([
      ...Array.from({ length: 3 }, () => '2 4'),
      ...Array.from({ length: 3 }, () => '1 4'),
    ])
  })

  it.each([1, 2, 3, 47])('reads frames that come in pieces of %d bytes', async (size) => {
    const running = await openLoad(await serveAgent(whole, size), { ...load, connections: 1 })
    expect((await running.run(20)).cost).toBeCloseTo(200, 6)
    running.close()
  })

  it.each([
    ['loses a delta', (deltas: number) => whole(deltas - 1), 'an answer of 4 deltas, not of 5'],
    ['says one twice', (deltas: number) => whole(deltas + 1), 'an answer of 6 deltas, not of 5'],
    [
      'says something else',
      () => frame('{"event":"message","text":"no"}'),
      'neither delta nor end: {"event":"message"',
    ],
    ['says goodbye', () => Buffer.from('8800', 'hex'), 'not a whole text: 8800'],
    [
      'ends an answer twice',
      (deltas: number) => Buffer.concat([whole(deltas), end]),
      'an answer of 0 deltas, not of 5',
    ],
  ])('an agent that %s ends the measurement', async (_what, toAnswer, error) => {
    const running = await openLoad(await serveAgent(toAnswer), load)
    await expect(running.run(20)).rejects.toThrow(error)
    running.close()
  })
})

describe('connect', () => {
  it('counts connections, each opened and reset', async () => {
    const server = await serve(64)
    const load = await openLoad(server, { kind: 'connect', parallel: 7 })
    const { cost } = await load.run(50)
    load.close()
    const count = server.connections()
    expect(count % 7).toBe(0)
    expect(cost).toBeCloseTo(1000 / count, 6)
  })
})
