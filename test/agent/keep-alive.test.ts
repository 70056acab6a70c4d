import { describe, expect, it } from 'vitest'
import { WS_EVENT_CLOSE, WS_EVENT_OPEN, WS_MSG_PING, WS_STATE_OPEN } from '../../lib/websock/constants.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { agentOf, AgentServer } from '../support/agent.ts'
import { close, closeBody, ping, pong, text } from '../support/frames.ts'
import { deferred, running } from '../support/memory.ts'
import { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const INTERVAL = 5000
const TIMEOUT = 5000
const MINUTE = 60_000
/** What it may take to notice. */
const LATE = 1000
const NO_PONG = { status: 1011, reason: 'keepalive ping timeout' }

/** A connection with the deadlines of the channel. */
const alive = (more = {}, callback?: Parameters<typeof running>[0]) =>
  running(callback, { timeout: 0, pingPeriod: INTERVAL, pongTimeout: TIMEOUT, ...more })
type Alive = ReturnType<typeof alive>

const pings = ({ transport }: Alive): number => transport.sent.filter(({ opcode }) => opcode === WS_MSG_PING).length

/** Goes to the moment at which the next ping has just left. */
function goToPing(peer: Alive): void {
  const before = pings(peer)
  for (let waited = 0; pings(peer) === before; waited++) {
    if (waited > 2 * INTERVAL) throw new Error('no ping came')
    peer.clock.advance(1)
  }
}

/** The peer sends a pong. */
const answer = ({ transport }: Alive): void =>
  transport.input((receiver) => {
    receiver.onActivity()
    receiver.onPong(Buffer.alloc(0))
  })

describe('pongs', () => {
  it('trap 36: who sends none is closed when interval and timeout are over, and not before', async () => {
    for (let phase = 0; phase < 1000; phase += 130) {
      const peer = alive()
      peer.clock.advance(phase)
      expect(pings(peer)).toBe(0)
      peer.clock.advance(INTERVAL + TIMEOUT - phase - 1)
      expect(pings(peer)).toBeGreaterThan(0)
      expect(peer.transport.closed).toBeNull()
      peer.clock.advance(1 + LATE)
      expect(peer.transport.closed).toEqual(NO_PONG)
      peer.clock.advance(MINUTE)
      expect(await peer.result).toBeLessThan(0)
      expect(peer.journal.kinds.at(-1)).toBe(WS_EVENT_CLOSE)
      // Nothing is left that would look at it again.
      expect(peer.clock.timers).toBe(0)
    }
  })

  it.each([
    [5000, 20_000],
    [20_000, 5000],
    [7500, 5250],
    [300_000, 300_000],
  ])('trap 36: also with an interval of %i and a timeout of %i', (pingPeriod, pongTimeout) => {
    const peer = alive({ pingPeriod, pongTimeout })
    peer.clock.advance(pingPeriod + pongTimeout - 1)
    expect(peer.transport.closed).toBeNull()
    peer.clock.advance(1 + LATE)
    expect(peer.transport.closed).toEqual(NO_PONG)
  })

  it('trap 36: who sends them stays, though silent for minutes', () => {
    const peer = alive()
    for (let answered = 0, second = 0; second < 600; second++) {
      peer.clock.advance(1000)
      for (; answered < pings(peer); answered++) answer(peer)
    }
    expect(pings(peer)).toBeGreaterThanOrEqual(118)
    expect([peer.transport.closed, peer.ws.state]).toEqual([null, WS_STATE_OPEN])
  })

  it('trap 36: who sends them at the last moment stays', () => {
    const peer = alive()
    for (let i = 0; i < 20; i++) {
      goToPing(peer)
      peer.clock.advance(TIMEOUT - 2)
      answer(peer)
    }
    expect(peer.transport.closed).toBeNull()
  })

  it('messages of the peer are none, nor are ours', () => {
    const peer = alive()
    for (let second = 0; second < 9; second++) {
      peer.clock.advance(1000)
      peer.transport.message('I am here')
      webSocketSendString(peer.ws, 'so am I')
    }
    expect(peer.transport.closed).toBeNull()
    peer.clock.advance(1000 + LATE)
    expect(peer.transport.closed).toEqual(NO_PONG)
  })

  it('activity without a pong is none', () => {
    const peer = alive()
    for (let second = 0; second < 11; second++) {
      peer.clock.advance(1000)
      peer.transport.input((receiver) => receiver.onActivity())
    }
    expect(peer.transport.closed).toEqual(NO_PONG)
  })

  it('that came before they were asked for do not count for later', () => {
    const peer = alive()
    peer.clock.advance(INTERVAL - 500)
    for (let i = 0; i < 10; i++) answer(peer)
    peer.clock.advance(500 + TIMEOUT + LATE)
    expect(peer.transport.closed).toEqual(NO_PONG)
  })

  it('that stop after a while: the deadline is that of the first ping without one', () => {
    const peer = alive()
    for (let i = 0; i < 3; i++) {
      goToPing(peer)
      answer(peer)
    }
    goToPing(peer)
    peer.clock.advance(TIMEOUT - 2)
    expect(peer.transport.closed).toBeNull()
    peer.clock.advance(2 + LATE)
    expect(peer.transport.closed).toEqual(NO_PONG)
  })

  it('are waited for in vain from who reads nothing', () => {
    const peer = alive({ maxBackpressure: 10 })
    peer.transport.stalled = true
    webSocketSendString(peer.ws, 'x'.repeat(100))
    peer.clock.advance(INTERVAL + TIMEOUT + LATE)
    expect(peer.transport.closed).toEqual(NO_PONG)
  })

  it('are waited for also while a callback takes its time', async () => {
    const gate = deferred()
    const peer = alive({}, (_ws, event) => (event === WS_EVENT_OPEN ? gate.promise : undefined))
    for (let second = 0; second < 9; second++) {
      peer.clock.advance(1000)
      peer.transport.message('still there')
    }
    expect(peer.transport.closed).toBeNull()
    peer.clock.advance(1000 + LATE)
    expect(peer.transport.closed).toEqual(NO_PONG)
    gate.resolve()
    peer.clock.advance(MINUTE)
    expect(await peer.result).toBeLessThan(0)
  })

  it.each([{ pongTimeout: 0 }, {}])('without a timeout (%j) nobody waits for them', (more) => {
    const peer = running(undefined, { timeout: 0, pingPeriod: INTERVAL, ...more })
    peer.clock.advance(10 * MINUTE)
    expect(pings(peer)).toBeGreaterThan(100)
    expect(peer.transport.closed).toBeNull()
  })
})

describe.each(engines)('the keep-alive of the agent channel on %s', (engine) => {
  it('trap 36: who talks but sends no pong is closed on time, who sends them stays, and pings are answered', async () => {
    const closed: string[] = []
    const agent = agentOf((_session, said) => said, { sessionClosed: ({ clientId }) => closed.push(clientId) })
    const server = await AgentServer.start(engine, { pingIntervalS: 5, pingTimeoutS: 5, streaming: false }, agent)
    const start = performance.now()
    const since = (): number => performance.now() - start
    const [mute, quiet] = [
      await RawClient.open(server.port, '/?client_id=mute'),
      await RawClient.open(server.port, '/?client_id=quiet'),
    ]
    /** Says pong to each ping, and nothing else. */
    const listen = async (): Promise<Buffer> => {
      for (;;) {
        const { opcode, payload } = await quiet.frame()
        if (opcode === 9) quiet.send(pong(payload))
        if (opcode === 10) return payload
      }
    }
    const heard = listen()
    const talk = setInterval(() => mute.send(text('I am here')), 1000)
    const pinged: number[] = []
    let answers = 0
    try {
      for (;;) {
        const { opcode, payload } = await mute.frame()
        if (opcode === 9) pinged.push(since())
        if (opcode === 1) answers++
        if (opcode !== 8) continue
        expect(payload).toEqual(closeBody(1011, 'keepalive ping timeout'))
        break
      }
    } finally {
      clearInterval(talk)
    }
    expect(since()).toBeGreaterThanOrEqual(10_000)
    expect(since()).toBeLessThanOrEqual(11_500)
    expect(pinged[0]).toBeGreaterThanOrEqual(5000)
    expect(pinged[0]).toBeLessThanOrEqual(6000)
    // READY, and what was said meanwhile.
    expect(answers).toBeGreaterThanOrEqual(9)
    mute.send(close(1011))
    await mute.rest()
    expect(closed).toEqual(['mute'])
    quiet.send(ping('there?'))
    expect((await heard).toString()).toBe('there?')
    quiet.destroy()
  })
})
