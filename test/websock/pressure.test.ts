import { describe, expect, it, vi } from 'vitest'
import type { MemoryTransport } from '../../lib/engine/memory.ts'
import { webSocketSendClose } from '../../lib/websock/close.ts'
import { WS_EVENT_CLOSE } from '../../lib/websock/constants.ts'
import { LOOK } from '../../lib/websock/pressure.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import type { Socket } from '../../lib/websock/socket.ts'
import { webSocketPublish, webSocketSubscribe } from '../../lib/websock/topics.ts'
import { bench, type Bench, running } from '../support/memory.ts'

interface Peer {
  readonly ws: Socket
  readonly transport: MemoryTransport
  readonly result: Promise<number>
}

/** Connections of one host whose peers read nothing, each with so many bytes that wait. */
function stalled(made: Bench, ...sizes: readonly number[]): Peer[] {
  return sizes.map((size) => {
    const { ws, transport } = made.connect()
    const result = webSocketRun(ws, () => {})
    transport.stalled = true
    if (size > 0) webSocketSendString(ws, 'x'.repeat(size))
    return { ws, transport, result }
  })
}

const gone = (peers: readonly Peer[]): boolean[] => peers.map(({ ws }) => ws.ended)

describe('what waits in the whole host', () => {
  it('has a limit: who has most is closed first, and no more than needed', async () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    made.context.pressure.limit = 1000
    const peers = stalled(made, 100, 500, 400, 300)
    made.clock.advance(LOOK)
    expect(gone(peers)).toEqual([false, true, false, false])
    expect(made.context.pressure).toMatchObject({ evicted: 1, bytes: 800 })
    expect(await peers[1]?.result).toBe(-1013)
    expect(peers[1]?.ws.ending?.cause).toEqual({ initiator: 'us', code: 1013, reason: 'evicted' })
    // Behind what waits a Close would never arrive: memory is given back at once.
    expect(peers[1]?.transport).toMatchObject({ aborted: true, closed: null })
    webSocketSendString(peers[0]?.ws ?? null, 'y'.repeat(350))
    made.clock.advance(LOOK)
    expect(gone(peers)).toEqual([true, true, false, false])
    expect(made.context.pressure.bytes).toBe(700)
  })

  it('nothing is sent to who was closed for it', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    made.context.pressure.limit = 10
    const [peer] = stalled(made, 100)
    webSocketSubscribe(peer?.ws ?? null, 't')
    made.clock.advance(LOOK)
    const { length } = peer?.transport.sent ?? []
    expect(webSocketSendString(peer?.ws ?? null, 'more')).toBe(-14)
    expect(webSocketPublish(made.context.topics, 't', 'more')).toBe(0)
    expect(peer?.transport.sent).toHaveLength(length)
  })

  it('is not looked at while nothing waits, and no longer when all was read', () => {
    const made = bench()
    made.context.pressure.limit = 1000
    const [peer] = stalled(made, 0)
    const before = made.clock.timers
    webSocketSendString(peer?.ws ?? null, 'waits')
    expect(made.clock.timers).toBe(before + 1)
    made.clock.advance(LOOK)
    expect(made.clock.timers).toBe(before + 1)
    peer?.transport.drain()
    made.clock.advance(LOOK)
    expect(made.clock.timers).toBe(before)
  })

  it('connections are not looked at while much is sent, and little of it can wait', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    made.context.pressure.limit = 100_000
    const [peer] = stalled(made, 0)
    const held = vi.spyOn(peer?.transport ?? made.connect().transport, 'held')
    const send = (bytes: number): void => void webSocketSendString(peer?.ws ?? null, 'x'.repeat(bytes))
    for (let i = 0; i < 10; i++) {
      send(100)
      made.clock.advance(LOOK)
    }
    expect(held).not.toHaveBeenCalled()
    // When it is quiet, once: whether anything still waits.
    made.clock.advance(LOOK)
    expect(held).toHaveBeenCalledTimes(1)
    // More than an eighth of the limit.
    send(13_000)
    made.clock.turn()
    expect(held).toHaveBeenCalledTimes(2)
    // While half of it waits, each time.
    send(40_000)
    made.clock.turn()
    expect(held).toHaveBeenCalledTimes(3)
    send(100)
    made.clock.advance(LOOK)
    expect(held).toHaveBeenCalledTimes(4)
  })

  it('has no limit by itself, and no timer then', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    const peers = stalled(made, 1 << 20)
    expect(made.clock.timers).toBe(0)
    made.clock.advance(10 * LOOK)
    expect(gone(peers)).toEqual([false])
  })

  it('counts what waits for callbacks; who can still be told is told 1013', async () => {
    const made = bench({ maxMessage: 0 })
    made.context.pressure.limit = 1000
    const { ws, transport } = made.connect()
    const result = webSocketRun(ws, (_ws, event) => (event === 1 ? new Promise(() => {}) : undefined))
    const other = stalled(made, 100)
    transport.message('first')
    transport.message('x'.repeat(1500))
    expect(ws.queue?.bytes).toBe(1564)
    made.clock.advance(LOOK)
    expect(transport).toMatchObject({ closed: { status: 1013 }, aborted: false })
    expect(ws.queue?.bytes).toBeLessThan(1000)
    expect(gone(other)).toEqual([false])
    expect(made.context.pressure.evicted).toBe(1)
    void result
  })

  it('who has said Close and does not let go is dropped, too', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    made.context.pressure.limit = 1000
    const [peer] = stalled(made, 2000)
    webSocketSendClose(peer?.ws ?? null, 4000, 'bye')
    made.clock.advance(LOOK)
    expect(peer?.transport.aborted).toBe(true)
    expect(peer?.ws.ending?.cause).toMatchObject({ code: 4000, reason: 'bye' })
  })

  it('what was published is found at its receivers, soon when it is much', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    made.context.pressure.limit = 10_000
    const peers = stalled(made, 0, 0, 0)
    for (const { ws } of peers) webSocketSubscribe(ws, 't')
    webSocketPublish(made.context.topics, 't', 'x'.repeat(5000))
    expect(gone(peers)).toEqual([false, false, false])
    // Not before what is sent in this turn has had its chance to leave.
    expect(made.clock.now()).toBe(0)
    made.clock.turn()
    expect(gone(peers).filter(Boolean)).toHaveLength(1)
  })

  it('what was sent is looked at soon when it is much', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    made.context.pressure.limit = 10_000
    const peers = stalled(made, 5000, 6000)
    expect(gone(peers)).toEqual([false, false])
    made.clock.turn()
    expect(made.clock.now()).toBe(0)
    expect(gone(peers)).toEqual([false, true])
  })

  it('a publish has room made for it: who would have most then goes before it is sent', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    const { pressure, topics } = made.context
    pressure.limit = 10_000
    const peers = stalled(made, 3000, 2000, 3000, 0)
    const publish = (topic: string, length: number): void => void webSocketPublish(topics, topic, 'x'.repeat(length))
    for (const { ws } of peers.slice(1)) webSocketSubscribe(ws, 't')
    made.clock.advance(LOOK)
    // As much as fits, and only where it waits: who has read everything may take it at once.
    publish('t', 1000)
    publish('others', 5000)
    expect(gone(peers)).toEqual([false, false, false, false])
    expect(pressure.bytes).toBe(11_000)
    peers[3]?.transport.drain()
    publish('t', 1)
    expect(gone(peers)).toEqual([false, false, true, false])
    expect(pressure.bytes).toBeLessThanOrEqual(10_000)
    expect(peers[2]?.transport.sent).toHaveLength(2)
  })

  it('a callback that publishes because somebody was closed for a publish has nobody else closed', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    const { pressure, topics } = made.context
    pressure.limit = 10_000
    const peers = stalled(made, 3000, 3000, 3000)
    for (const { ws } of peers) {
      webSocketSubscribe(ws, 't')
      ws.proc = (_ws, event) => void (event === WS_EVENT_CLOSE && webSocketPublish(topics, 't', 'x'.repeat(3000)))
    }
    made.clock.advance(LOOK)
    webSocketPublish(topics, 't', 'x'.repeat(1500))
    expect(gone(peers).filter(Boolean)).toHaveLength(1)
    expect(pressure.evicted).toBe(1)
  })

  it('who waits already counts when a limit is set, and nobody is kept in mind without one', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    const { pressure } = made.context
    const peers = stalled(made, 2000, 3000)
    pressure.limit = 4000
    made.clock.advance(LOOK)
    expect(gone(peers)).toEqual([false, true])
    pressure.limit = Infinity
    webSocketSendString(peers[0]?.ws ?? null, 'y'.repeat(9000))
    made.clock.advance(2 * LOOK)
    expect(gone(peers)).toEqual([false, true])
    expect(made.clock.timers).toBe(0)
  })

  it('what has left by the end of the turn does not count', () => {
    const made = bench({ maxBackpressure: 0, maxMessage: 0 })
    made.context.pressure.limit = 10_000
    const peers = stalled(made, 0, 0, 0)
    for (const { ws } of peers) webSocketSubscribe(ws, 't')
    made.clock.defer(() => peers.forEach(({ transport }) => transport.drain()))
    webSocketPublish(made.context.topics, 't', 'x'.repeat(5000))
    made.clock.advance(2 * LOOK)
    expect(gone(peers)).toEqual([false, false, false])
  })
})

describe('a peer that reads too slowly', () => {
  // maxBackpressure, a message and 64 KiB.
  const LIMIT = 100 + 1000 + 65_536

  it('drop-new: misses what does not fit, and goes on when it has read', () => {
    const dropped: unknown[] = []
    const { ws, transport, context, journal } = running(undefined, {
      maxBackpressure: 100,
      maxMessage: 1000,
      backpressure: 'drop-new',
    })
    Object.assign(context.observer, { dropped: (who: unknown) => dropped.push(who) })
    webSocketSubscribe(ws, 't')
    transport.stalled = true
    while (transport.buffered() <= LIMIT) webSocketPublish(context.topics, 't', 'x'.repeat(1000))
    const { length } = transport.sent
    for (let i = 0; i < 3; i++) expect(webSocketPublish(context.topics, 't', 'missed')).toBe(1)
    expect(dropped).toEqual([ws, ws, ws])
    expect(webSocketSendString(ws, 'direct')).toBe(-41)
    expect(transport.sent).toHaveLength(length)
    transport.drain()
    webSocketPublish(context.topics, 't', 'again')
    expect(transport.sent.at(-1)?.payload.toString()).toBe('again')
    expect(journal.kinds).toEqual([0])
  })

  it('close: is closed with 1013 at the first that does not fit', async () => {
    const { ws, transport, context, result } = running(undefined, { maxBackpressure: 100, maxMessage: 1000 })
    webSocketSubscribe(ws, 't')
    transport.stalled = true
    while (!ws.ended) webSocketPublish(context.topics, 't', 'x'.repeat(1000))
    expect(transport.buffered()).toBeGreaterThan(LIMIT - 5000)
    expect(transport.closed?.status).toBe(1013)
    expect(await result).toBe(-1013)
  })

  it('pause: is not read from while half of maxBackpressure waits, so that answers fit', () => {
    const answers: number[] = []
    const { ws, transport } = running(
      (handle, event) => {
        if (event === 1) answers.push(webSocketSendString(handle, 'y'.repeat(100)))
      },
      { maxBackpressure: 1000, backpressure: 'pause' },
    )
    transport.stalled = true
    for (let i = 0; i < 50; i++) transport.message('ask')
    expect(transport.paused).toBe(true)
    expect(answers).toEqual(Array.from({ length: 6 }, () => 100))
    transport.drain()
    transport.stalled = false
    expect(transport.paused).toBe(false)
    expect(answers).toHaveLength(50)
    expect(answers.every((code) => code === 100)).toBe(true)
    expect(ws.ended).toBe(false)
  })

  it.each(['reads', 'settles'])(
    'pause: a peer waits for both, its own reading and the callback, when it first %s',
    async (first) => {
      const settle: (() => void)[] = []
      const { transport, ws, clock } = running(
        (handle, event) => {
          if (event !== 1) return undefined
          webSocketSendString(handle, 'y'.repeat(600))
          return new Promise<void>((resolve) => settle.push(resolve))
        },
        { maxBackpressure: 1000, backpressure: 'pause', maxQueue: 1600 },
      )
      transport.stalled = true
      transport.message('one')
      expect(transport.paused).toBe(true)
      // In one segment with it came more than the queue takes without pausing.
      transport.paused = false
      transport.message('two')
      transport.message('three')
      expect(ws.queue?.paused).toBe(true)
      if (first === 'reads') {
        transport.drain()
        expect(transport.paused).toBe(true)
      }
      const turns = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) await Promise.resolve()
        clock.turn()
      }
      transport.stalled = first === 'settles'
      for (let i = 0; i < 3; i++) {
        settle.shift()?.()
        await turns()
      }
      expect(ws.queue?.length).toBe(0)
      if (first === 'settles') {
        expect(transport.paused).toBe(true)
        transport.drain()
      }
      expect(transport.paused).toBe(false)
    },
  )

  it('without pause it is read from', () => {
    const answers: number[] = []
    const { transport } = running(
      (handle, event) => {
        if (event === 1) answers.push(webSocketSendString(handle, 'y'.repeat(100)))
      },
      { maxBackpressure: 1000 },
    )
    transport.stalled = true
    for (let i = 0; i < 50; i++) transport.message('ask')
    expect(transport.paused).toBe(false)
    expect(answers.filter((code) => code === -41).length).toBe(39)
  })
})
