import { describe, expect, it } from 'vitest'
import type { RouteConfig } from '../../include-types/web.ts'
import { webSocketSetLimits, webSocketSetPingPeriod } from '../../lib/websock/handle.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { webSocketPublish, webSocketSubscribe } from '../../lib/websock/topics.ts'
import { binary, text } from '../support/frames.ts'
import { ask, Hosted } from '../support/hosted.ts'
import { hush } from '../support/log-lines.ts'
import type { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const PING = 9
const x = (length: number): string => 'x'.repeat(length)
const action = (match: string, limits: NonNullable<RouteConfig['limits']> = {}): RouteConfig => ({
  match,
  handler: 'action',
  limits,
})

/** The opcodes of so many frames, the next ones. */
async function opcodes(client: RawClient, count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) found.push((await client.frame()).opcode)
  return found
}

/** The status of the Close that ends a connection, and nothing else. */
async function closedWith(client: RawClient): Promise<string> {
  const bytes = await client.rest()
  return bytes[0] === 0x88 ? String(bytes.readUInt16BE(2)) : bytes.toString('hex')
}

describe.each(engines)('limits after a reload on the %s engine', (engine) => {
  it('maxMessage holds at once for sockets that are there: what they send, and are sent', async () => {
    const hosted = await Hosted.start(engine, { routes: [action('/a', { maxMessage: '10K' }), action('/b')] })
    const [a, b, late] = [await hosted.open('/a'), await hosted.open('/b'), await hosted.open('/a')]
    expect(await ask(a.client, x(10_000))).toBe(x(10_000))

    // More, as far as any engine takes it.
    expect(await hosted.reload({ routes: [action('/a', { maxMessage: '20K' }), action('/b')] })).toBe(0)
    expect(await ask(a.client, x(20_000))).toBe(x(20_000))

    // Less.
    expect(await hosted.reload({ routes: [action('/a', { maxMessage: 1000 }), action('/b')] })).toBe(0)
    expect(webSocketSendString(late.ws, x(1001))).toBe(-40)
    expect(await ask(a.client, x(1000))).toBe(x(1000))
    a.client.send(text(x(1001)))
    expect(await closedWith(a.client)).toBe('1009')
    expect(await ask(late.client, x(1000))).toBe(x(1000))
    // Each route has its own.
    expect(await ask(b.client, x(2000))).toBe(x(2000))
  })

  it('limits of the host hold for routes without their own', async () => {
    const routes = [action('/a', { maxMessage: '50K' }), action('/b')]
    const hosted = await Hosted.start(engine, { routes })
    const [a, b] = [await hosted.open('/a'), await hosted.open('/b')]
    expect(await hosted.reload({ routes, limits: { maxMessage: 1000 } })).toBe(0)
    expect(await ask(a.client, x(2000))).toBe(x(2000))
    b.client.send(text(x(2000)))
    expect(await closedWith(b.client)).toBe('1009')
  })

  it('what a connection has set for itself stays', async () => {
    const hosted = await Hosted.start(engine, { routes: [action('/a', { maxMessage: '10K', maxFrame: '10K' })] })
    const [own, other] = [await hosted.open('/a'), await hosted.open('/a')]
    webSocketSetLimits(own.ws, 500, 3000)
    expect(await hosted.reload({ routes: [action('/a', { maxMessage: 1000, maxFrame: 100 })] })).toBe(0)
    own.client.send(binary(Buffer.alloc(3000, 7)))
    // And goes on to hold for what it is sent.
    expect(webSocketSendString(own.ws, x(3001))).toBe(-40)
    expect((await own.client.frame()).payload.length).toBe(500)
    expect(webSocketSendString(other.ws, x(1001))).toBe(-40)
    expect(webSocketSendString(other.ws, x(1000))).toBe(1000)
    expect((await other.client.frame()).payload.length).toBe(100)
    // What it has not set follows.
    expect(await hosted.reload({ routes: [action('/a', { maxBackpressure: 4000 })] })).toBe(0)
    expect(own.ws.limits).toMatchObject({ maxFrame: 500, maxMessage: 3000, maxBackpressure: 4000 })
    expect(other.ws.limits).toMatchObject({ maxFrame: 102_400, maxMessage: 102_400, maxBackpressure: 4000 })
  })

  // Was wrong: what a connection has set is forgotten when its route has had the same value once, or has it when it is set.
  it.each([
    ['its route comes to have the same', 500, [action('/a', { maxMessage: 500 }), action('/a', { maxMessage: 900 })]],
    ['its route has the same', 1000, [action('/a', { maxMessage: 900 })]],
  ])('what a connection has set for itself stays, also where %s', async (_when, mine, reloads) => {
    const hosted = await Hosted.start(engine, { routes: [action('/a', { maxMessage: 1000 })] })
    const { ws } = await hosted.open('/a')
    webSocketSetLimits(ws, 0, mine)
    for (const routes of reloads) expect(await hosted.reload({ routes: [routes] })).toBe(0)
    expect(ws.limits).toMatchObject({ maxFrame: 0, maxMessage: mine })
  })

  it('maxBackpressure: a send that was accepted before is refused', async () => {
    const hosted = await Hosted.start(engine, { limits: { maxBackpressure: '64M' } })
    const { client, ws } = await hosted.open('/')
    client.socket.pause()
    for (let i = 0; i < 200; i++) expect(webSocketSendString(ws, x(100_000))).toBe(100_000)
    hush()
    expect(await hosted.reload({ limits: { maxBackpressure: '1M' } })).toBe(0)
    expect(webSocketSendString(ws, 'one more')).toBe(-41)
    expect(await hosted.reload({ limits: { maxBackpressure: '64M' } })).toBe(0)
    expect(webSocketSendString(ws, 'one more')).toBe(8)
  })

  // Was wrong: what may be published to a socket is settled when it is made, and a lower limit is not even in a warning.
  it('maxBackpressure: what is published beyond it ends who does not read, or a warning says that it does not', async () => {
    const hosted = await Hosted.start(engine, { limits: { maxBackpressure: '64M' } })
    const { client, ws } = await hosted.open('/')
    client.socket.pause()
    webSocketSubscribe(ws, 'news')
    hush()
    expect(await hosted.reload({ limits: { maxBackpressure: '1M' } })).toBe(0)
    for (let i = 0; i < 300; i++) webSocketPublish(hosted.host.topics, 'news', x(100_000))
    // What was published leaves at the end of a turn.
    await ask((await hosted.open('/')).client, 'a turn later')
    const told = hosted.host.warnings.some((line) => line.includes('limits.maxBackpressure'))
    expect(told || ws.ending?.cause.code === 1013).toBe(true)
  })

  // Was wrong: a socket that had no pings is not armed for them; one that had others goes on with the old period once more.
  it.each(['never', '1 hour'])('pings begin on sockets that had them %s', async (before) => {
    const hosted = await Hosted.start(engine, { webSockets: { ping: before } })
    const old = await hosted.open('/')
    expect(await hosted.reload({ webSockets: { ping: '60ms' } })).toBe(0)
    const fresh = await hosted.open('/')
    expect(await opcodes(fresh.client, 3)).toEqual([PING, PING, PING])
    old.client.send(text('done'))
    expect((await old.client.frame()).opcode).toBe(PING)
  })

  // Was wrong: a ping period of 0 is added to the time of the next ping: each tick of the wheel sends one.
  it('pings end', async () => {
    const hosted = await Hosted.start(engine, { webSockets: { ping: '60ms' } })
    const { client, ws } = await hosted.open('/')
    expect(await opcodes(client, 2)).toEqual([PING, PING])
    expect(await hosted.reload({ webSockets: { ping: 'never' } })).toBe(0)
    expect(ws.limits.pingPeriod).toBe(0)
    const other = await hosted.open('/')
    // Its own affair.
    webSocketSetPingPeriod(other.ws, 60)
    await opcodes(other.client, 5)
    client.send(text('done'))
    // One may have been on its way.
    const sent = await opcodes(client, 1)
    if (sent[0] === PING) sent.push(...(await opcodes(client, 1)))
    expect(sent.at(-1)).toBe(1)
  })

  it('a ping period that a connection has set for itself stays', async () => {
    const hosted = await Hosted.start(engine, {})
    const { client, ws } = await hosted.open('/')
    webSocketSetPingPeriod(ws, 60)
    expect(await hosted.reload({ webSockets: { ping: '1 hour' } })).toBe(0)
    expect(await opcodes(client, 3)).toEqual([PING, PING, PING])
  })

  // Was wrong: nothing is armed for a socket that had no timeout, or a longer one: it is looked at when that would have been over.
  it.each(['never', '1 hour'])('inactivity holds for sockets that had %s', async (before) => {
    const hosted = await Hosted.start(engine, { timeouts: { inactivity: before } })
    const old = await hosted.open('/')
    expect(await hosted.reload({ timeouts: { inactivity: '100ms' } })).toBe(0)
    for (let i = 0; i < 2; i++) expect(await closedWith((await hosted.open('/')).client)).toBe('1001')
    expect(old.ws.ending?.cause).toMatchObject({ initiator: 'timeout', code: 1001 })
  })

  it('a timeout that webSocketRun was given stays; a longer one of the host holds', async () => {
    const hosted = await Hosted.start(engine, { timeouts: { inactivity: '200ms' } }, (host) => {
      host.addAction('/own', (web) => webSocketRun(web.webSocket, () => {}, null, null, 150))
    })
    const [own, other] = [await hosted.open('/own'), await hosted.open('/x')]
    webSocketSetPingPeriod(other.ws, 100)
    expect(await hosted.reload({ timeouts: { inactivity: '1 hour' } })).toBe(0)
    expect([own.ws.limits.timeout, other.ws.limits.timeout]).toEqual([150, 3_600_000])
    expect(await closedWith(own.client)).toBe('1001')
    // Silent for as long, but for our own pings.
    expect(await opcodes(other.client, 5)).not.toContain(8)
  })
})
