import { getEventListeners } from 'node:events'
import http from 'node:http'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from '../../../include-types/websock.ts'
import { urlWebSocketOpen } from '../../../lib/standalone.ts'
import { type ClientSide, open } from '../../../lib/websock/client/open.ts'
import { webSocketFree } from '../../../lib/websock/close.ts'
import {
  R_ERR_BAD_ARGS,
  R_ERR_CANT_COMPLETE,
  R_ERR_TIMEOUT,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
} from '../../../lib/websock/constants.ts'
import { webSocketRun } from '../../../lib/websock/run.ts'
import { webSocketSendString } from '../../../lib/websock/send.ts'
import { closeBody, closeReply, reply } from '../../support/frames.ts'
import { deferred } from '../../support/memory.ts'
import { answer, RawServer } from '../../support/raw-server.ts'
import { client, clockedSide, refusal, settle } from '../../support/url-client.ts'

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

/** An agent that asks for the address and never hears it. */
function deafAgent(): { agent: http.Agent; asked: Promise<void> } {
  const { promise: asked, resolve } = deferred()
  return { agent: new http.Agent({ lookup: () => resolve() }), asked }
}

describe('aborted before', () => {
  it('urlWebSocket: ERROR, CLOSE, -21, and nobody was called', async () => {
    const server = await RawServer.listen()
    const signal = AbortSignal.abort()
    const journal = client(server.url, { signal })
    expect(await journal.result).toBe(R_ERR_CANT_COMPLETE)
    expect(journal.kinds).toEqual([WS_EVENT_ERROR, WS_EVENT_CLOSE])
    expect(journal.events[0]?.buf).toBe('Aborted')
    expect(server.count).toBe(0)
    expect(listeners(signal)).toBe(0)
  })

  it('urlWebSocketOpen rejects', async () => {
    const server = await RawServer.listen()
    const signal = AbortSignal.abort()
    expect(await refusal(server.url, { signal })).toMatchObject({ code: R_ERR_CANT_COMPLETE, status: 0, body: '' })
    expect(server.count).toBe(0)
    expect(listeners(signal)).toBe(0)
  })

  it('nothing is dialed', async () => {
    let dialed = 0
    const side: ClientSide = {
      ...clockedSide(),
      port: {
        dial: () => {
          dialed++
          return Promise.resolve({ cause: 'connect', message: '', status: 0, headers: {}, body: '' })
        },
      },
    }
    const failure = await open(side, 'ws://somewhere.invalid/', { signal: AbortSignal.abort() })
    expect(failure).toMatchObject({ code: R_ERR_CANT_COMPLETE })
    expect(dialed).toBe(0)
  })

  it('bad arguments are told all the same', async () => {
    const signal = AbortSignal.abort()
    expect(await client('ws://example.org/#', { signal }).result).toBe(R_ERR_BAD_ARGS)
    expect(listeners(signal)).toBe(0)
  })
})

describe('aborted in the turn of the call', () => {
  it('-21', async () => {
    const server = await RawServer.listen()
    const controller = new AbortController()
    const journal = client(server.url, { signal: controller.signal })
    expect(listeners(controller.signal)).toBe(1)
    controller.abort()
    expect(await journal.result).toBe(R_ERR_CANT_COMPLETE)
    expect(listeners(controller.signal)).toBe(0)
  })
})

describe('aborted while it connects', () => {
  it('-21', async () => {
    const { agent, asked } = deafAgent()
    const controller = new AbortController()
    const journal = client('ws://somewhere.invalid/', { agent, signal: controller.signal })
    await asked
    controller.abort(new Error('geheim'))
    expect(await journal.result).toBe(R_ERR_CANT_COMPLETE)
    expect(journal.events[0]?.buf).toBe('Aborted')
    expect(listeners(controller.signal)).toBe(0)
  })

  it('handshakeTimeout counts from the call: -38', async () => {
    const { agent } = deafAgent()
    const { signal } = new AbortController()
    const before = performance.now()
    expect((await refusal('ws://somewhere.invalid/', { agent, signal, handshakeTimeout: 30 })).code).toBe(R_ERR_TIMEOUT)
    expect(performance.now() - before).toBeGreaterThanOrEqual(29)
    expect(listeners(signal)).toBe(0)
  })
})

/** Agents that make connections later, as those for proxies do, may never make one. */
class SlowAgent extends http.Agent {
  asked = 0

  override createConnection(): undefined {
    this.asked++
  }
}

describe('an agent that never comes back with a connection', { timeout: 3000 }, () => {
  it('handshakeTimeout: -38', async () => {
    const agent = new SlowAgent()
    expect(await client('ws://somewhere.invalid/', { agent, handshakeTimeout: 30 }).result).toBe(R_ERR_TIMEOUT)
    expect(agent.asked).toBe(1)
  })

  it('aborted: -21', async () => {
    const agent = new SlowAgent()
    const controller = new AbortController()
    const journal = client('ws://somewhere.invalid/', { agent, signal: controller.signal })
    setImmediate(() => controller.abort())
    expect(await journal.result).toBe(R_ERR_CANT_COMPLETE)
    expect(listeners(controller.signal)).toBe(0)
  })
})

describe('aborted during the handshake', () => {
  it.each([
    ['nothing has come', ''],
    ['half an answer has come', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: web'],
    ['half a body has come', 'HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nhalf'],
  ])('%s: the server sees the end', async (_name, sent) => {
    const server = await RawServer.listen()
    const controller = new AbortController()
    const journal = client(server.url, { signal: controller.signal })
    const peer = await server.next()
    await peer.request()
    peer.send(sent)
    await settle()
    controller.abort()
    expect(await journal.result).toBe(R_ERR_CANT_COMPLETE)
    await peer.until(() => peer.ended)
    expect(journal.kinds).toEqual([WS_EVENT_ERROR, WS_EVENT_CLOSE])
    expect(listeners(controller.signal)).toBe(0)
  })
})

describe('aborted after open', () => {
  it('urlWebSocket: Close 1001 on the wire, and the run ends as after any local Close', async () => {
    const server = await RawServer.listen()
    const controller = new AbortController()
    const journal = client(server.url, { signal: controller.signal })
    const peer = await server.next()
    await peer.accept()
    await journal.until(WS_EVENT_OPEN)
    expect(listeners(controller.signal)).toBe(1)
    controller.abort()
    expect(await peer.frame()).toEqual({ fin: true, opcode: 8, payload: closeBody(1001) })
    peer.socket.end(closeReply(1001))
    expect(await journal.ending()).toMatchObject({
      run: 0,
      status: 1001,
      orderly: true,
      kinds: [WS_EVENT_OPEN, WS_EVENT_CLOSE],
    })
    expect(listeners(controller.signal)).toBe(0)
  })

  it('urlWebSocket: inside OPEN, with a message behind the 101, which is not delivered', async () => {
    const server = await RawServer.listen()
    const controller = new AbortController()
    const journal = client(server.url, { signal: controller.signal }, (_ws, event) => {
      if (event === WS_EVENT_OPEN) controller.abort()
    })
    const peer = await server.next()
    await peer.accept({}, reply({ opcode: 1, payload: 'late' }))
    expect(await peer.frame()).toMatchObject({ opcode: 8, payload: closeBody(1001) })
    peer.socket.end(closeReply(1001))
    expect(await journal.result).toBe(0)
    expect(journal.kinds).toEqual([WS_EVENT_OPEN, WS_EVENT_CLOSE])
  })

  it('urlWebSocketOpen: no effect', async () => {
    const server = await RawServer.listen()
    const controller = new AbortController()
    const opening = urlWebSocketOpen(server.url, { signal: controller.signal })
    const peer = await server.next()
    await peer.accept()
    const ws: WebSocket = await opening
    expect(listeners(controller.signal)).toBe(0)
    controller.abort()
    const result = webSocketRun(ws, (handle, event, buf) => {
      if (event === WS_EVENT_MESSAGE && typeof buf === 'string') webSocketSendString(handle, buf)
    })
    peer.send(reply({ opcode: 1, payload: 'still here' }))
    expect((await peer.frame()).payload.toString()).toBe('still here')
    peer.socket.end(closeReply(1000))
    expect(await result).toBe(0)
  })
})

describe('no listener is left on the signal', () => {
  it.each<[string, (key: string) => Buffer, number]>([
    ['an orderly end', (key) => Buffer.concat([answer(key), closeReply(1000)]), 0],
    ['a violation', (key) => Buffer.concat([answer(key), Buffer.from([0x83, 0])]), -1002],
    ['a loss', (key) => answer(key), -1006],
    ['a refusal', () => Buffer.from('HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n'), -12],
    ['a 101 that is not ours', () => answer('no'), -12],
    ['no answer', () => Buffer.alloc(0), -22],
  ])('after %s', async (_name, bytes, result) => {
    const server = await RawServer.listen()
    const { signal } = new AbortController()
    const journal = client(server.url, { signal })
    const peer = await server.next()
    peer.socket.end(bytes((await peer.request()).key))
    expect(await journal.result).toBe(result)
    expect(listeners(signal)).toBe(0)
  })

  it('after webSocketFree', async () => {
    const server = await RawServer.listen()
    const { signal } = new AbortController()
    const journal = client(server.url, { signal }, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketFree(ws)
    })
    const peer = await server.next()
    await peer.accept()
    expect(await journal.result).toBe(-1006)
    await peer.until(() => peer.ended)
    expect(listeners(signal)).toBe(0)
  })

  it('one signal for many connections', async () => {
    const server = await RawServer.listen()
    const controller = new AbortController()
    const journals = Array.from({ length: 5 }, () => client(server.url, { signal: controller.signal }))
    for (const _ of journals) await (await server.next()).request()
    controller.abort()
    expect(await Promise.all(journals.map(({ result }) => result))).toEqual(journals.map(() => R_ERR_CANT_COMPLETE))
    expect(listeners(controller.signal)).toBe(0)
  })
})
