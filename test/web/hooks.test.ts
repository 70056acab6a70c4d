import { describe, expect, it } from 'vitest'
import type { RouteConfig, Web, WebHook } from '../../include-types/web.ts'
import {
  webAddAction,
  webAllocHost,
  WEB_HOOK_ACTION,
  WEB_HOOK_CONNECT,
  WEB_HOOK_DISCONNECT,
  WEB_HOOK_END,
  WEB_HOOK_ERROR,
  WEB_HOOK_NOT_FOUND,
  WEB_HOOK_RUN,
  WEB_HOOK_START,
  webFreeHost,
  webGetError,
  webGetPort,
  webFinalize,
  webSetHook,
  webSetStatus,
  webSocketRun,
  webSocketSendClose,
  webSocketSendString,
  webStartHost,
  webWrite,
  webWriteJson,
  webWriteResponse,
  webWriteResponseString,
  WS_EVENT_MESSAGE,
} from '../../lib/index.ts'
import { close, text } from '../support/frames.ts'
import { ask } from '../support/http.ts'
import { turn } from '../engine/uws/support.ts'
import { deferred } from '../support/memory.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const NAMES = new Map<number, string>([
  [WEB_HOOK_CONNECT, 'CONNECT'],
  [WEB_HOOK_DISCONNECT, 'DISCONNECT'],
  [WEB_HOOK_START, 'START'],
  [WEB_HOOK_RUN, 'RUN'],
  [WEB_HOOK_ACTION, 'ACTION'],
  [WEB_HOOK_NOT_FOUND, 'NOT_FOUND'],
  [WEB_HOOK_ERROR, 'ERROR'],
  [WEB_HOOK_END, 'END'],
])

const routes: RouteConfig[] = [
  { match: '/secret', handler: 'action', token: 'abc' },
  { match: '/a/', handler: 'action', trim: '/a' },
  { match: '/files/', documents: 'no-such-folder' },
]

/** The status of a Close frame. */
const codeOf = ({ opcode, payload }: { opcode: number; payload: Buffer }): number =>
  opcode === 8 ? payload.readUInt16BE(0) : 0

/** An action for plain requests and connections. */
const action = (web: Web): unknown => {
  if (web.webSocket === null) return webWriteResponse(web, 200, 'ran %s', web.path)
  return webSocketRun(web.webSocket, (ws, event, buf) => {
    if (event === WS_EVENT_MESSAGE && buf === 'bye') webSocketSendClose(ws, 4000, 'so long')
    else if (event === WS_EVENT_MESSAGE) webSocketSendString(ws, String(buf))
  })
}

describe.each(engines)('the hook of a host on the %s engine', (engine) => {
  /** A host with a hook; what the hook is told, and a wait for the end of so many requests. */
  async function hooked(hook: WebHook = () => 0) {
    const told: string[] = []
    let wake = (): void => {}
    const host = webAllocHost({ web: { engine, listen: '127.0.0.1:0', webSockets: { protocol: null }, routes } })
    webAddAction(host, '/', action)
    expect(
      webSetHook(host, (web, event) => {
        told.push(`${NAMES.get(event)} ${web.method} ${web.path} ${web.status}`)
        wake()
        return hook(web, event)
      }),
    ).toBe(0)
    expect(await webStartHost(host)).toBe(0)
    const until = async (count: number): Promise<void> => {
      while (told.filter((line) => line.startsWith('END')).length < count)
        await new Promise<void>((resolve) => (wake = resolve))
      // What would come behind it, and should not.
      await turn()
    }
    return { host, port: webGetPort(host), told, until }
  }

  it('is told of a request from its start to its end', async () => {
    const { host, port, told, until } = await hooked()
    expect(String((await ask(port, '/a/x?q')).body)).toBe('ran /x\n')
    await until(1)
    expect(told).toEqual(['START GET /a/x 0', 'RUN GET /x 0', 'ACTION GET /x 0', 'END GET /x 200'])
    await webFreeHost(host)
  })

  it.each([
    ['/nowhere', 404, 'No matching route', ['START GET /nowhere 0', 'NOT_FOUND GET /nowhere 0']],
    ['/secret', 401, 'Unauthorized', ['START GET /secret 0']],
    [
      '/files/x',
      404,
      'Cannot locate document',
      ['START GET /files/x 0', 'RUN GET /files/x 0', 'NOT_FOUND GET /files/x 0'],
    ],
  ])('is told of %s that it is an error', async (path, status, body, before) => {
    const { host, port, told, until } = await hooked()
    const given = await ask(port, path)
    expect([given.status, String(given.body)]).toEqual([status, `${body}\n`])
    await until(1)
    expect(told).toEqual([...before, `ERROR GET ${path} ${status}`, `END GET ${path} ${status}`])
    await webFreeHost(host)
  })

  it('is told of a connection from its start to its end, whoever ends it', async () => {
    for (const end of ['peer', 'server', 'loss']) {
      const { host, port, told, until } = await hooked()
      const client = await RawClient.open(port, '/a/ws')
      client.send(text('hello'))
      expect((await client.frame()).payload.toString()).toBe('hello')
      expect(told).toEqual(['START GET /a/ws 0', 'RUN GET /ws 0', 'CONNECT GET /ws 101', 'ACTION GET /ws 101'])
      if (end === 'peer') client.send(close(1000))
      else if (end === 'server') client.send(text('bye'))
      else client.reset()
      if (end === 'server') {
        expect(codeOf(await client.frame())).toBe(4000)
        client.send(close(4000))
      }
      await until(1)
      expect(told.slice(4), end).toEqual(['END GET /ws 101', 'DISCONNECT GET /ws 101'])
      client.destroy()
      await webFreeHost(host)
    }
  })

  it('may answer in START, RUN, ACTION and NOT_FOUND, at once or later', async () => {
    for (const [event, path] of [
      [WEB_HOOK_START, '/nowhere'],
      [WEB_HOOK_RUN, '/a/x'],
      [WEB_HOOK_ACTION, '/a/x'],
      [WEB_HOOK_NOT_FOUND, '/nowhere'],
      [WEB_HOOK_NOT_FOUND, '/files/x'],
    ] as const) {
      for (const later of [false, true]) {
        const { host, port, told, until } = await hooked((web, now) => {
          if (now !== event) return 0
          if (!later) return webWriteResponseString(web, 202, 'from the hook')
          return turn().then(() => webWriteResponseString(web, 202, 'from the hook'))
        })
        const { status, body } = await ask(port, path)
        expect([status, String(body)]).toEqual([202, 'from the hook\n'])
        await until(1)
        expect(told.at(-1)).toMatch(/^END .* 202$/)
        expect(told.at(-2)).toMatch(new RegExp(`^${NAMES.get(event)} `))
        await webFreeHost(host)
      }
    }
  })

  it('may answer in parts, also what was to be upgraded: the answer ends when it returns', async () => {
    const { host, port, told, until } = await hooked(async (web, event) => {
      if (event !== WEB_HOOK_RUN) return
      webWrite(web, 'one ')
      await turn()
      webWrite(web, 'two')
    })
    expect(String((await ask(port, '/a/x')).body)).toBe('one two')
    const client = await RawClient.connect(port)
    client.send(handshake('/a/ws'))
    expect((await client.response()).status).toBe(200)
    await client.until(() => client.received.includes('two'))
    await until(2)
    expect(told.filter((line) => /ACTION|CONNECT/.test(line))).toEqual([])
    client.destroy()
    await webFreeHost(host)
  })

  it('drops the connection with a number other than 0', async () => {
    for (const event of [WEB_HOOK_START, WEB_HOOK_RUN, WEB_HOOK_ACTION] as const) {
      const { host, port, told, until } = await hooked((_web, now) => (now === event ? -1 : 0))
      await expect(ask(port, '/a/x')).rejects.toThrow(/socket hang up|ECONNRESET/)
      await until(1)
      expect(told.at(-1)).toMatch(/^END GET .* 0$/)
      const client = await RawClient.connect(port)
      client.send(handshake('/a/ws'))
      if (event === WEB_HOOK_ACTION) {
        expect((await client.response()).status).toBe(101)
        expect(codeOf(await client.frame())).toBe(1008)
      } else expect(String(await client.rest())).toBe('')
      client.destroy()
      await webFreeHost(host)
    }
  })

  it('that fails is a 500 or Close 1011, and where it is only told, nothing', async () => {
    for (const event of NAMES.keys()) {
      for (const later of [false, true]) {
        const { host, port, until } = await hooked((_web, now) => {
          if (now !== event) return 0
          if (later) return Promise.reject(new Error('in the hook'))
          throw new Error('in the hook')
        })
        const asked = ([WEB_HOOK_START, WEB_HOOK_RUN, WEB_HOOK_ACTION] as number[]).includes(event)
        const { status, body } = await ask(port, '/a/x')
        expect([status, String(body)]).toEqual(asked ? [500, 'Internal Server Error\n'] : [200, 'ran /x\n'])
        expect((await ask(port, '/nowhere')).status).toBe(
          ([WEB_HOOK_START, WEB_HOOK_NOT_FOUND] as number[]).includes(event) ? 500 : 404,
        )
        await until(2)
        const client = await RawClient.connect(port)
        client.send(handshake('/a/ws'))
        const early = event === WEB_HOOK_START || event === WEB_HOOK_RUN
        expect((await client.response()).status).toBe(early ? 500 : 101)
        if (event === WEB_HOOK_ACTION) expect(codeOf(await client.frame())).toBe(1011)
        client.destroy()
        await webFreeHost(host)
      }
    }
  })

  it('is told of an error however it is answered, and of a 304 that it is over', async () => {
    const answers: ((web: Web) => unknown)[] = [
      (web) => webWriteJson(web, {}, 500),
      (web) => webWriteResponse(web, 400, 'no'),
      (web) => [webSetStatus(web, 404), webWrite(web, 'no'), webFinalize(web)],
    ]
    for (const [i, status] of [500, 400, 404].entries()) {
      const { host, port, told, until } = await hooked((web, event) => {
        if (event === WEB_HOOK_RUN) answers[i]?.(web)
      })
      expect((await ask(port, '/a/x')).status).toBe(status)
      await until(1)
      expect(told.slice(2)).toEqual([`ERROR GET /x ${status}`, `END GET /x ${status}`])
      await webFreeHost(host)
    }
    const { host, port, told, until } = await hooked((web, event) => {
      if (event === WEB_HOOK_RUN) webWriteResponse(web, 304, '')
    })
    expect((await ask(port, '/a/x')).status).toBe(304)
    await until(1)
    expect(told.slice(2)).toEqual(['END GET /x 304'])
    await webFreeHost(host)
  })

  it('is told that an answer was broken off, by its action or its peer', async () => {
    for (const who of ['action', 'peer']) {
      const begun = deferred()
      const { host, port, told, until } = await hooked(async (web, event) => {
        if (event !== WEB_HOOK_RUN) return
        webWrite(web, 'a part')
        begun.resolve()
        if (who === 'action') throw new Error('behind its first part')
        await new Promise(() => {})
      })
      const client = await RawClient.connect(port)
      client.send(Buffer.from('GET /a/x HTTP/1.1\r\nHost: x\r\n\r\n'))
      await begun.promise
      if (who === 'peer') client.reset()
      await until(1)
      expect(told.slice(2), who).toEqual(['ERROR GET /x 200', 'END GET /x 200'])
      client.destroy()
      await webFreeHost(host)
    }
  })

  it('hears of the end of who has gone before the answer', async () => {
    const asked = deferred()
    const { host, port, told, until } = await hooked((_web, event) => {
      if (event !== WEB_HOOK_RUN) return 0
      asked.resolve()
      return new Promise(() => {})
    })
    const client = await RawClient.connect(port)
    client.send(Buffer.from('GET /a/x HTTP/1.1\r\nHost: x\r\n\r\n'))
    await asked.promise
    client.reset()
    await until(1)
    expect(told).toEqual(['START GET /a/x 0', 'RUN GET /x 0', 'END GET /x 0'])
    await webFreeHost(host)
  })

  it('is asked from then on when it is set while the host runs, and taken away with null', async () => {
    const { host, port, told } = await hooked()
    expect(webSetHook(host, null)).toBe(0)
    expect((await ask(port, '/a/x')).status).toBe(200)
    expect(told).toEqual([])
    expect(webSetHook(host, (web) => webWriteResponseString(web, 503, 'closed for today'))).toBe(0)
    expect((await ask(port, '/a/x')).status).toBe(503)
    await webFreeHost(host)
  })

  it('webFreeHost drops what there is at once, and the host does not start again', async () => {
    const { host, port, told } = await hooked()
    const client = await RawClient.open(port, '/a/ws')
    await webFreeHost(host)
    // No word of goodbye.
    expect(String(await client.rest())).toBe('')
    expect(told.slice(4)).toEqual(['END GET /ws 101', 'DISCONNECT GET /ws 101'])
    await expect(RawClient.connect(port)).rejects.toThrow(/ECONNREFUSED/)
    expect([await webStartHost(host), webGetError(host)]).toEqual([-28, 'The host was freed'])
    await webFreeHost(host)
  })
})

it('webSetHook takes hosts and functions only', () => {
  const host = webAllocHost({})
  // @ts-expect-error A program in JavaScript may pass anything.
  expect([webSetHook({}, null), webSetHook(host, 'x')]).toEqual([-6, -6])
})
