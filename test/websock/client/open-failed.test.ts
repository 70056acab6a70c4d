import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WebSocket } from '../../../include-types/websock.ts'
import { urlWebSocket, urlWebSocketOpen } from '../../../lib/standalone.ts'
import { webSocketFree, webSocketSendClose } from '../../../lib/websock/close.ts'
import {
  R_ERR_BAD_ARGS,
  R_ERR_BAD_STATE,
  R_ERR_CANT_CONNECT,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_MSG_BINARY,
  WS_MSG_PING,
  WS_STATE_CONNECTING,
} from '../../../lib/websock/constants.ts'
import {
  webSocketGetCloseReason,
  webSocketGetCloseStatus,
  webSocketGetErrorMessage,
  webSocketGetOrderlyClosed,
  webSocketGetProtocol,
  webSocketGetRemoteAddress,
  webSocketSetPingPeriod,
} from '../../../lib/websock/handle.ts'
import { rSetLogSink } from '../../../lib/websock/log.ts'
import { webSocketRun } from '../../../lib/websock/run.ts'
import {
  webSocketFlush,
  webSocketGetBufferedAmount,
  webSocketSend,
  webSocketSendBlock,
  webSocketSendJson,
  webSocketSendString,
} from '../../../lib/websock/send.ts'
import { webSocketSubscribe } from '../../../lib/websock/topics.ts'
import { deferred } from '../../support/memory.ts'
import { closedPort } from '../../support/raw-server.ts'
import { client } from '../../support/url-client.ts'

// Callbacks fail on purpose here: their log lines would say nothing.
beforeAll(() => rSetLogSink(() => {}))
afterAll(() => rSetLogSink(null))

/** What a caller of plain JavaScript may do. */
const loosely = (...args: unknown[]): unknown => Reflect.apply(urlWebSocket, undefined, args)

const BAD = 'ws://example.org/#fragment'

describe('bad arguments of urlWebSocket', () => {
  it('resolve with -6, after ERROR and CLOSE', async () => {
    const journal = client(BAD)
    expect(journal.events).toEqual([])
    expect(await journal.result).toBe(R_ERR_BAD_ARGS)
    const text = 'A URL is ws://host[:port]/path or wss://…, without #fragment'
    expect(journal.events).toEqual([
      { event: WS_EVENT_ERROR, buf: text, len: Buffer.byteLength(text), state: WS_STATE_CONNECTING, type: 0 },
      { event: WS_EVENT_CLOSE, buf: null, len: 0, state: WS_STATE_CONNECTING, type: 0 },
    ])
    expect(journal.ws).toMatchObject({ client: true, error: 6, state: WS_STATE_CONNECTING, fin: false })
  })

  it.each<[string, unknown, unknown]>([
    ['no URL', undefined, {}],
    ['options that are a number', 'ws://127.0.0.1:1/', 5],
    ['protocols that are no list', 'ws://127.0.0.1:1/', { protocols: 5 }],
    ['a signal that is none', 'ws://127.0.0.1:1/', { signal: {} }],
    ['a header line without a colon', 'ws://127.0.0.1:1/', 'no'],
    ['a negative timeout', 'ws://127.0.0.1:1/', { timeout: -1 }],
    [
      'options that throw when they are read',
      'ws://127.0.0.1:1/',
      {
        get headers() {
          throw new Error('mine')
        },
      },
    ],
  ])('never throw or reject: %s', async (_name, url, options) => {
    const kinds: unknown[] = []
    const result = loosely(url, (_ws: unknown, event: unknown) => kinds.push(event), null, options)
    expect(result).toBeInstanceOf(Promise)
    expect(await result).toBe(R_ERR_BAD_ARGS)
    expect(kinds).toEqual([WS_EVENT_ERROR, WS_EVENT_CLOSE])
  })

  it('null in place of options is none', async () => {
    const url = `ws://127.0.0.1:${await closedPort()}/`
    expect(await loosely(url, () => {}, null, null)).toBe(R_ERR_CANT_CONNECT)
    const opening: unknown = Reflect.apply(urlWebSocketOpen, undefined, [url, null])
    await expect(opening).rejects.toMatchObject({ name: 'UrlError', code: R_ERR_CANT_CONNECT })
  })

  it.each([undefined, null, 'callback', {}])('a callback that is none: %s', async (callback) => {
    expect(await loosely('ws://127.0.0.1:1/', callback)).toBe(R_ERR_BAD_ARGS)
  })

  it.each<[string, unknown]>([
    ['a signal that is none', { signal: {} }],
    ['protocols that are no list', { protocols: {} }],
  ])('urlWebSocketOpen rejects with a UrlError: %s', async (_name, options) => {
    const opening: unknown = Reflect.apply(urlWebSocketOpen, undefined, ['ws://127.0.0.1:1/', options])
    await expect(opening).rejects.toMatchObject({ name: 'UrlError', code: R_ERR_BAD_ARGS, status: 0 })
  })
})

describe('the handle of a connection that never was', () => {
  it('refuses to send, and answers', async () => {
    const seen: unknown[] = []
    const look = (ws: WebSocket): void => {
      seen.push([
        webSocketSend(ws, 'a'),
        webSocketSendString(ws, 'a'),
        webSocketSendJson(ws, {}),
        webSocketSendBlock(ws, WS_MSG_BINARY, Buffer.of(1)),
        webSocketSendBlock(ws, WS_MSG_PING, ''),
        webSocketSendClose(ws),
        webSocketSubscribe(ws, 'topic'),
        ws.state,
        webSocketGetBufferedAmount(ws),
        webSocketGetCloseStatus(ws),
        webSocketGetCloseReason(ws),
        webSocketGetOrderlyClosed(ws),
        webSocketGetProtocol(ws),
        webSocketGetRemoteAddress(ws),
      ])
      webSocketSetPingPeriod(ws, 1000)
    }
    const options = { origin: '\n' }
    const journal = client('ws://example.org/', options, look)
    expect(await journal.result).toBe(R_ERR_BAD_ARGS)
    const refused = R_ERR_BAD_STATE
    const answers = [refused, refused, refused, refused, refused, 0, false, 0, 0, 1006, null, false, null, '']
    expect(seen).toEqual([answers, answers])
    const { ws } = journal
    if (ws !== null) look(ws)
    expect(seen[2]).toEqual(answers)
    expect(ws?.parent).toBe(options)
    expect(await webSocketFlush(ws)).toBe(R_ERR_BAD_STATE)
    expect(await webSocketRun(ws, () => {})).toBe(R_ERR_BAD_STATE)
    webSocketFree(ws)
    expect(webSocketGetErrorMessage(ws)).not.toBeNull()
  })

  it('gets the arg, and no this', async () => {
    const arg = { mine: true }
    const seen: unknown[] = []
    const result = await urlWebSocket(
      BAD,
      function (this: unknown, _ws, _event, _buf, _len, given) {
        seen.push(this, given)
      },
      arg,
    )
    expect(result).toBe(R_ERR_BAD_ARGS)
    expect(seen).toEqual([undefined, arg, undefined, arg])
  })

  it('an async callback: CLOSE waits for ERROR, the result for CLOSE', async () => {
    const gates = [deferred(), deferred()]
    let settled = false
    const journal = client(BAD, {}, (_ws, event) => gates[event - WS_EVENT_ERROR]?.promise)
    void journal.result.then(() => (settled = true))
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    await journal.until(WS_EVENT_ERROR)
    await turn()
    expect(journal.kinds).toEqual([WS_EVENT_ERROR])
    gates[0]?.resolve()
    await journal.until(WS_EVENT_CLOSE)
    await turn()
    expect(settled).toBe(false)
    gates[1]?.resolve()
    expect(await journal.result).toBe(R_ERR_BAD_ARGS)
  })

  it.each([
    ['throws', () => { throw new Error('mine') }], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('a callback that %s in ERROR: CLOSE all the same, and -1011', async (_name, fails) => {
    const journal = client(BAD, {}, (_ws, event) => (event === WS_EVENT_ERROR ? fails() : undefined))
    expect(await journal.result).toBe(-1011)
    expect(journal.kinds).toEqual([WS_EVENT_ERROR, WS_EVENT_CLOSE])
  })

  it('a callback that throws in CLOSE changes nothing', async () => {
    const journal = client(BAD, {}, (_ws, event) => {
      if (event === WS_EVENT_CLOSE) throw new Error('mine')
    })
    expect(await journal.result).toBe(R_ERR_BAD_ARGS)
  })
})
