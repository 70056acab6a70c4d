import { afterEach, describe, expect, it } from 'vitest'
import type { UrlWebSocketOptions } from '../../../include-types/client.ts'
import type { ManualClock } from '../../../lib/engine/memory.ts'
import type { Clock } from '../../../lib/engine/port.ts'
import { nodeClient } from '../../../lib/engine/node/client.ts'
import { type ClientSide, connect, open } from '../../../lib/websock/client/open.ts'
import { ClientError } from '../../../lib/websock/client/error.ts'
import { webSocketFree, webSocketSendClose } from '../../../lib/websock/close.ts'
import {
  R_ERR_TIMEOUT,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
} from '../../../lib/websock/constants.ts'
import { webSocketSendString } from '../../../lib/websock/send.ts'
import type { Socket } from '../../../lib/websock/socket.ts'
import { closeBody, closeReply, reply } from '../../support/frames.ts'
import { Journal, type JournalCallback } from '../../support/journal.ts'
import { type RawPeer, RawServer } from '../../support/raw-server.ts'
import { clockedSide, settle } from '../../support/url-client.ts'

const running: (() => void)[] = []
afterEach(() => {
  for (const end of running.splice(0)) end()
})

async function connected(
  options: UrlWebSocketOptions = {},
  callback: JournalCallback = () => undefined,
): Promise<{ clock: ManualClock; peer: RawPeer; journal: Journal }> {
  const made = clockedSide()
  const server = await RawServer.listen()
  const journal = new Journal()
  const result = connect(
    made,
    server.url,
    (ws, event, buf, len) => {
      journal.ws = ws
      journal.note(ws, event, buf, len)
      return callback(ws, event, buf, len)
    },
    undefined,
    options,
  )
  void result.then(() => journal.follow(journal.ws, result))
  running.push(() => webSocketFree(journal.ws))
  const peer = await server.next()
  await peer.accept()
  await journal.until(WS_EVENT_OPEN)
  return { clock: made.clock, peer, journal }
}

describe('handshakeTimeout', () => {
  it.each([
    [{}, 10_000],
    [{ handshakeTimeout: 250 }, 250],
    [{ handshakeTimeout: 0x7fff_ffff }, 0x7fff_ffff],
  ])('%o: %i ms', async (options, ms) => {
    const made = clockedSide()
    const server = await RawServer.listen()
    let settled = false
    const opening = open(made, server.url, options).then((opened) => {
      settled = true
      return opened
    })
    const peer = await server.next()
    await peer.request()
    made.clock.advance(ms - 1)
    await settle()
    expect(settled).toBe(false)
    made.clock.advance(1)
    const opened = await opening
    expect(opened).toMatchObject({ code: R_ERR_TIMEOUT, message: `No connection within ${ms} ms` })
    await peer.until(() => peer.ended)
    expect(made.clock.timers).toBe(0)
  })

  it.each([0, Infinity])('%d: no timer', async (handshakeTimeout) => {
    const made = clockedSide()
    const server = await RawServer.listen()
    const opening = open(made, server.url, { handshakeTimeout })
    const peer = await server.next()
    expect(made.clock.timers).toBe(0)
    await peer.accept()
    expect(await opening).not.toBeInstanceOf(ClientError)
  })

  // Where nothing else does: an agent that has no connection yet has nothing that could.
  it('keeps the process alive until the attempt has failed', async () => {
    const made = clockedSide()
    const refs: boolean[] = []
    const { clock } = made
    const noting: Clock = {
      now: () => clock.now(),
      every: (ms, fn) => clock.every(ms, fn),
      after: (ms, fn, ref) => {
        refs.push(ref)
        return clock.after(ms, fn)
      },
      defer: (fn) => clock.defer(fn),
    }
    const server = await RawServer.listen()
    const opening = open({ ...made, context: { ...made.context, clock: noting } }, server.url, {})
    await (await server.next()).accept({ Upgrade: 'x' })
    await opening
    expect(refs).toEqual([true])
  })

  it('its timer does not outlive the handshake, whatever comes of it', async () => {
    const ends: ((peer: RawPeer) => unknown)[] = [
      (peer) => peer.accept(),
      (peer) => peer.accept({ Upgrade: 'x' }),
      (peer) => peer.send('HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n'),
      (peer) => peer.reset(),
    ]
    for (const end of ends) {
      const made = clockedSide()
      const server = await RawServer.listen()
      const opening = open(made, server.url, {})
      const peer = await server.next()
      expect(made.clock.timers).toBe(1)
      end(peer)
      const opened = await opening
      expect(made.clock.timers).toBe(0)
      // And what it would have done is not done.
      made.clock.advance(20_000)
      if (opened instanceof ClientError) continue
      await settle()
      expect(peer.ended).toBe(false)
    }
  })

  it('too late is too late: an answer that comes with the timeout is not taken', async () => {
    const made = clockedSide()
    const server = await RawServer.listen()
    const dialed: Promise<void>[] = []
    const late: ClientSide = {
      ...made,
      port: {
        dial: async (options) => {
          // The signal is not looked at: the connection is there when it has been aborted already.
          const outcome = await nodeClient.dial({ ...options, signal: new AbortController().signal })
          made.clock.advance(10_000)
          dialed.push(Promise.resolve())
          return outcome
        },
      },
    }
    const opening = open(late, server.url, {})
    const peer = await server.next()
    await peer.accept()
    expect(await opening).toMatchObject({ code: R_ERR_TIMEOUT })
    expect(dialed.length).toBe(1)
    await peer.until(() => peer.ended)
  })
})

describe('silence and pings', () => {
  it('timeout: Close 1001, ERROR, CLOSE, -1006', async () => {
    const { clock, peer, journal } = await connected({ timeout: 1000 })
    clock.advance(950)
    await settle()
    expect(journal.kinds).toEqual([WS_EVENT_OPEN])
    clock.advance(150)
    expect(await peer.frame()).toEqual({ fin: true, opcode: 8, payload: closeBody(1001) })
    await peer.until(() => peer.ended)
    expect(await journal.ending()).toMatchObject({
      run: -1006,
      status: 1006,
      kinds: [WS_EVENT_OPEN, WS_EVENT_ERROR, WS_EVENT_CLOSE],
    })
  })

  it('timeout: what the server sends starts it again', async () => {
    const { clock, peer, journal } = await connected({ timeout: 1000 })
    for (let i = 1; i <= 5; i++) {
      clock.advance(900)
      peer.send(reply({ opcode: 1, payload: 'x' }))
      await journal.until(WS_EVENT_MESSAGE, i)
    }
    expect(journal.kinds).not.toContain(WS_EVENT_CLOSE)
  })

  it.each([undefined, 0, Infinity])('timeout %s: none', async (timeout) => {
    const { clock, journal } = await connected(timeout === undefined ? {} : { timeout })
    clock.advance(86_400_000)
    await settle()
    expect(journal.kinds).toEqual([WS_EVENT_OPEN])
    expect(clock.timers).toBe(0)
  })

  it('pingPeriod: masked pings, and their pongs are no events', async () => {
    const { clock, peer, journal } = await connected({ pingPeriod: 1000 })
    for (let i = 0; i < 3; i++) {
      clock.advance(1000)
      expect(await peer.frame()).toEqual({ fin: true, opcode: 9, payload: Buffer.alloc(0) })
      peer.send(reply({ opcode: 10 }))
    }
    await settle()
    expect(peer.length).toBe(0)
    expect(journal.kinds).toEqual([WS_EVENT_OPEN])
  })

  it('pings without an answer do not keep a connection that is silent', async () => {
    const { clock, peer, journal } = await connected({ pingPeriod: 400, timeout: 1000 })
    clock.advance(1150)
    expect((await peer.frame()).opcode).toBe(9)
    expect((await peer.frame()).opcode).toBe(9)
    expect(await peer.frame()).toMatchObject({ opcode: 8, payload: closeBody(1001) })
    expect(await journal.result).toBe(-1006)
  })
})

describe('who ends TCP (RFC 6455 §7.1.1)', () => {
  it("after our Close: the server; the run has its result with the server's Close", async () => {
    const { clock, peer, journal } = await connected({}, (ws, event) => {
      if (event === WS_EVENT_OPEN) expect(webSocketSendClose(ws, 4000, 'bye')).toBe(5)
    })
    expect(await peer.frame()).toEqual({ fin: true, opcode: 8, payload: closeBody(4000, 'bye') })
    peer.send(closeReply(4001, 'so long'))
    expect(await journal.ending()).toEqual({
      run: 0,
      status: 4001,
      reason: 'so long',
      orderly: true,
      kinds: [WS_EVENT_OPEN, WS_EVENT_CLOSE],
    })
    clock.advance(4900)
    await settle()
    expect(peer.ended).toBe(false)
    // The server ends TCP, and so does the client then.
    peer.socket.end()
    await peer.until(() => peer.closed)
    expect(peer.socket.errored).toBeNull()
    expect(peer.length).toBe(0)
    await settle()
    clock.advance(50)
    expect(clock.timers).toBe(0)
  })

  it("after the server's Close: it is answered with its status and reason, and TCP is the server's to end", async () => {
    const { clock, peer, journal } = await connected()
    peer.send(closeReply(4001, 'x'))
    expect(await peer.frame()).toEqual({ fin: true, opcode: 8, payload: closeBody(4001, 'x') })
    expect(await journal.result).toBe(0)
    clock.advance(4900)
    await settle()
    expect(peer.ended).toBe(false)
    peer.socket.end()
    await peer.until(() => peer.closed)
    expect(peer.socket.errored).toBeNull()
  })

  it('a server that does not end TCP is dropped after 5 s: Close from us', async () => {
    const { clock, peer, journal } = await connected({}, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSendClose(ws)
    })
    await peer.frame()
    clock.advance(3000)
    peer.send(closeReply(1000))
    expect(await journal.result).toBe(0)
    // They count from the answer.
    clock.advance(4900)
    await settle()
    expect(peer.ended).toBe(false)
    clock.advance(200)
    await peer.until(() => peer.ended)
    await settle()
    expect(clock.timers).toBe(0)
  })

  it('a server that does not end TCP is dropped after 5 s: Close from the server', async () => {
    const { clock, peer, journal } = await connected()
    peer.send(closeReply(1000))
    expect(await journal.result).toBe(0)
    clock.advance(4900)
    await settle()
    expect(peer.ended).toBe(false)
    clock.advance(200)
    await peer.until(() => peer.ended)
  })

  it('a server that does not answer our Close is dropped after 5 s: -1006, CLOSE without ERROR', async () => {
    const { clock, peer, journal } = await connected({}, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSendClose(ws)
    })
    await peer.frame()
    // What it says in between is nobody's.
    peer.send(reply({ opcode: 1, payload: 'late' }))
    clock.advance(4900)
    await settle()
    expect(journal.kinds).toEqual([WS_EVENT_OPEN])
    clock.advance(200)
    await peer.until(() => peer.ended)
    expect(await journal.ending()).toMatchObject({ run: -1006, status: 1006, kinds: [WS_EVENT_OPEN, WS_EVENT_CLOSE] })
  })

  it('a violation: the client, at once, behind its Close', async () => {
    const { peer, journal } = await connected()
    peer.send(reply({ opcode: 1, payload: Buffer.of(0xff) }))
    expect(await peer.frame()).toMatchObject({ opcode: 8, payload: closeBody(1007) })
    await peer.until(() => peer.ended)
    expect(await journal.result).toBe(-1007)
    peer.socket.end()
    await peer.until(() => peer.closed)
    expect(peer.socket.errored).toBeNull()
  })

  it('sends after Close are refused, and a second Close is nothing', async () => {
    const codes: number[] = []
    const { peer } = await connected({}, (ws, event) => {
      if (event !== WS_EVENT_OPEN) return
      webSocketSendClose(ws, 1000)
      codes.push(webSocketSendString(ws, 'late'), webSocketSendClose(ws, 1001))
    })
    await peer.frame()
    expect(codes).toEqual([-14, 0])
    await settle()
    expect(peer.length).toBe(0)
  })
})

it('what a handle is told of its connection', async () => {
  const made = clockedSide()
  const server = await RawServer.listen()
  const options: UrlWebSocketOptions = { timeout: 7, pingPeriod: 8, maxFrame: 9, maxMessage: 10, partial: true }
  const opening = open(made, new URL(server.url), options)
  const peer = await server.next()
  const { key } = await peer.accept()
  const opened = await opening
  if (opened instanceof ClientError) throw opened
  const ws: Socket = opened
  expect(ws).toMatchObject({
    client: true,
    clientKey: key,
    protocol: null,
    remoteAddress: '127.0.0.1',
    state: 0,
    limits: { timeout: 7, pingPeriod: 8, maxFrame: 9, maxMessage: 10 },
    mode: { raw: false, view: false, partial: true },
  })
  expect(ws.parent).toBe(options)
  expect(made.context.connections.size).toBe(1)
  webSocketFree(ws)
  expect(made.context.connections.size).toBe(0)
  await peer.until(() => peer.ended)
})
