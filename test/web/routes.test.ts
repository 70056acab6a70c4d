import { describe, expect, it } from 'vitest'
import type { Config, WebAction, WebAuthorize } from '../../include-types/web.ts'
import { parts } from '../../lib/parts.ts'
import { createHost } from '../../lib/web/host.ts'
import { webReadBody } from '../../lib/web/web.ts'
import { webWriteResponse } from '../../lib/web/reply.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { WS_EVENT_MESSAGE } from '../../lib/websock/constants.ts'
import { close, text } from '../support/frames.ts'
import { ask } from '../support/http.ts'
import { deferred } from '../support/memory.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines, serve } from '../support/server.ts'

type Route = NonNullable<NonNullable<Config['web']>['routes']>[number]

/** Says where it was found; a connection echoes. */
const tell: WebAction = (web) =>
  web.webSocket === null
    ? webWriteResponse(web, 200, '%s %s', web.method, web.path)
    : webSocketRun(web.webSocket, (ws, event, buf) => {
        if (event === WS_EVENT_MESSAGE) webSocketSendString(ws, String(buf))
      })

describe.each(engines)('routes on the %s engine', (engine) => {
  const on = (routes: Route[], web: Config['web'] = {}) =>
    serve(engine, tell, { ...web, routes: routes.map((route) => ({ handler: 'action', ...route })) })
  const upgrade = async (port: number, path: string, headers: Record<string, string | null> = {}) => {
    const client = await RawClient.connect(port)
    client.send(handshake(path, headers))
    const { status, head } = await client.response()
    client.destroy()
    return { status, head }
  }

  it('trap 61, 62: the first that matches wins, even if its methods then say 405', async () => {
    const { port } = await on([
      { match: '/x', methods: ['POST'] },
      { match: '/x' },
      { match: '/ws/' },
      { match: '/e/', exact: true },
    ])
    const denied = await ask(port, '/x')
    expect([denied.status, denied.headers['allow'], String(denied.body)]).toEqual([405, 'POST', 'Method Not Allowed\n'])
    expect(String((await ask(port, '/x', { method: 'POST' })).body)).toBe('POST /x\n')
    expect(String((await ask(port, '/ws/a')).body)).toBe('GET /ws/a\n')
    expect(String((await ask(port, '/e/')).body)).toBe('GET /e/\n')
    for (const path of ['/ws', '/e/x', '/']) {
      const none = await ask(port, path)
      expect([none.status, String(none.body)]).toEqual([404, 'No matching route\n'])
    }
  })

  it('GET brings HEAD along; OPTIONS is answered where it is listed', async () => {
    const { port } = await on([
      { match: '/a', methods: ['GET'] },
      { match: '/b', methods: ['PUT', 'OPTIONS', 'GET'] },
    ])
    expect((await ask(port, '/a', { method: 'HEAD' })).status).toBe(200)
    expect((await ask(port, '/a', { method: 'OPTIONS' })).headers['allow']).toBe('GET, HEAD')
    const options = await ask(port, '/b', { method: 'OPTIONS' })
    expect([options.status, options.headers['access-control-allow-methods'], String(options.body)]).toEqual([
      200,
      'GET,HEAD,OPTIONS,PUT',
      '',
    ])
    expect(String((await ask(port, '/b', { method: 'PUT' })).body)).toBe('PUT /b\n')
  })

  it('redirects: of the site before the routes, of a route with 302', async () => {
    const { port } = await on([{ match: '/r', redirect: '/there?x=1' }, {}], {
      redirect: [
        { from: '/old', to: '/new' },
        { from: '/moved', to: 'https://example.org/x', status: 308 },
      ],
    })
    const go = async (target: string) => {
      const { status, headers } = await ask(port, target)
      return [status, headers['location']]
    }
    expect(await go('/old')).toEqual([301, `http://127.0.0.1:${port}/new`])
    expect(await go('/moved?q')).toEqual([308, 'https://example.org/x'])
    expect(await go('/r')).toEqual([302, '/there?x=1'])
    expect(await go('/new')).toEqual([200, undefined])
  })

  it("a name of the host's own stands in redirects, whatever the client calls it", async () => {
    const { port } = await on([{}], { name: 'my.example', redirect: [{ from: '/old', to: '/new' }] })
    expect((await ask(port, '/old', { headers: { Host: 'evil.example' } })).headers['location']).toBe(
      'http://my.example/new',
    )
  })

  it('trim takes a prefix off what the action sees', async () => {
    const { port } = await on([
      { match: '/api/', trim: '/api' },
      { match: '/api', trim: '/api' },
    ])
    expect(String((await ask(port, '/api/a/b')).body)).toBe('GET /a/b\n')
    expect(String((await ask(port, '/api')).body)).toBe('GET /\n')
  })

  it('headers of host and route are on every answer, the nearer one wins: 200, errors, 101', async () => {
    const { port } = await on(
      [
        { match: '/a', headers: { 'X-B': 'route', 'Content-Type': 'text/x' } },
        { match: '/b', handler: 'file' },
      ],
      {
        headers: { 'X-A': 'host', 'X-B': 'host' },
      },
    )
    const found = await ask(port, '/a')
    expect(found.headers).toMatchObject({ 'x-a': 'host', 'x-b': 'route', 'content-type': 'text/plain; charset=utf-8' })
    for (const target of ['/b', '/c', '/%00']) {
      expect((await ask(port, target)).headers).toMatchObject({ 'x-a': 'host', 'x-b': 'host' })
    }
    expect((await ask(port, '/a', { method: 'DELETE' })).headers).toMatchObject({
      'x-b': 'route',
      'allow': 'GET, HEAD, POST',
    })
    const { status, head } = await upgrade(port, '/a')
    expect(status).toBe(101)
    expect(head).toMatch(/^X-A: host$/m)
    expect(head).toMatch(/^X-B: route$/m)
    expect(head).not.toContain('X-B: host')
    // Names of headers have no case.
    const other = await on([{ headers: { 'x-b': 'route' } }], { headers: { 'X-B': 'host' } })
    expect((await ask(other.port, '/')).headers['x-b']).toBe('route')
  })

  it('limits of a route: its body, its messages, beyond those of the host', async () => {
    const { port } = await serve(
      engine,
      async (web) => {
        if (web.webSocket !== null) return tell(web)
        const body = await webReadBody(web)
        return webWriteResponse(web, 200, '%d', body?.length ?? -1)
      },
      {
        limits: { body: 10, maxMessage: 10 },
        routes: [{ match: '/big', handler: 'action', limits: { body: 1000, maxMessage: 1000 } }, { handler: 'action' }],
      },
    )
    const post = async (target: string, size: number) =>
      (await ask(port, target, { method: 'POST', body: 'x'.repeat(size) })).status
    expect([await post('/', 10), await post('/', 11), await post('/big', 1000), await post('/big', 1001)]).toEqual([
      200, 413, 200, 413,
    ])
    for (const [target, size, code] of [
      ['/', 10, null],
      ['/', 11, 1009],
      ['/big', 1000, null],
      ['/big', 1001, 1009],
    ] as const) {
      const client = await RawClient.open(port, target)
      client.send(text('x'.repeat(size)))
      const answer = await client.frame()
      if (code === null) expect(answer.payload.length).toBe(size)
      else expect([answer.opcode, answer.payload.readUInt16BE()]).toEqual([8, code])
      client.destroy()
    }
  })

  it('token: a request without it is 401, in its header or its query', async () => {
    const { port } = await on([{ match: '/t', token: 'a secret/+' }, {}])
    const get = async (target: string, headers: Record<string, string> = {}) =>
      (await ask(port, target, { headers })).status
    const denied = await ask(port, '/t')
    expect([denied.status, denied.headers['www-authenticate'], String(denied.body)]).toEqual([
      401,
      'Bearer',
      'Unauthorized\n',
    ])
    expect(await get('/t?token=a%20secret/%2B')).toBe(200)
    for (const [target, headers] of [
      ['/t?token=', {}],
      ['/t?token=a%20secret', {}],
      ['/t?token=x&token=a%20secret/%2B', {}],
      ['/t', { Authorization: 'Bearer x' }],
      ['/t', { Authorization: 'Basic a secret/+' }],
      ['/t?token=a%20secret/%2B', { Authorization: 'Bearer wrong' }],
    ] as const) {
      expect(await get(target, headers)).toBe(401)
    }
    expect((await upgrade(port, '/t')).status).toBe(401)
    expect((await upgrade(port, '/t?token=a%20secret/%2B')).status).toBe(101)
    const simple = await on([{ token: 'abc' }])
    for (const value of ['Bearer abc', 'bearer abc', 'Bearer   abc ']) {
      expect((await ask(simple.port, '/', { headers: { Authorization: value } })).status).toBe(200)
    }
  })

  it('D39: webSockets.enable: false answers 501 where there could be a WebSocket', async () => {
    const { port } = await on([{ match: '/file/', handler: 'file' }, {}], { webSockets: { enable: false } })
    const { status, head } = await upgrade(port, '/')
    expect(status).toBe(501)
    expect(head).not.toContain('Sec-WebSocket-Accept')
    expect((await upgrade(port, '/file/x')).status).toBe(404)
    expect((await ask(port, '/')).status).toBe(200)
  })

  it('trap 57: a bad handshake is told before a route is looked for; trap 60: one without an action is 404', async () => {
    const { port } = await serve(engine, tell, { routes: [{ match: '/', handler: 'action' }] })
    expect((await upgrade(port, '/nowhere', { 'Sec-WebSocket-Key': null })).status).toBe(400)
    const old = await upgrade(port, '/', { 'Sec-WebSocket-Version': '8' })
    expect(old.status).toBe(426)
    expect(old.head).toMatch(/^Sec-WebSocket-Version: 13$/m)
  })
})

describe.each(engines)('roles on the %s engine', (engine) => {
  /** A host whose routes have roles, and its hook. */
  async function hosted(authorize: WebAuthorize | null) {
    const routes: Route[] = [
      { match: '/public', handler: 'action', role: 'public' },
      { match: '/', handler: 'action', role: 'admin' },
    ]
    const host = createHost({ web: { engine, listen: '127.0.0.1:0', webSockets: { protocol: null }, routes } }, parts)
    host.addAction('/', tell)
    host.authorize = authorize
    expect(await host.start()).toBe(0)
    return { host, port: host.listening[0]?.port ?? 0 }
  }

  it('without a hook only public passes', async () => {
    const { host, port } = await hosted(null)
    const denied = await ask(port, '/x')
    expect([denied.status, String(denied.body)]).toEqual([403, 'Forbidden\n'])
    expect((await ask(port, '/public')).status).toBe(200)
    await host.stop()
  })

  it.each([
    ['at once', (granted: boolean) => granted],
    [
      'later',
      async (granted: boolean) => {
        await new Promise((resolve) => setImmediate(resolve))
        return granted
      },
    ],
  ])('the hook is asked before request and upgrade, and answers %s', async (_when, answer) => {
    const asked: string[] = []
    const { host, port } = await hosted((web, role) => {
      asked.push(`${role} ${web.method} ${web.path} ${web.query}`)
      return answer(web.query === 'yes')
    })
    expect([(await ask(port, '/a?yes')).status, (await ask(port, '/a?no')).status]).toEqual([200, 403])
    for (const [query, status] of [
      ['yes', 101],
      ['no', 403],
    ] as const) {
      const client = await RawClient.connect(port)
      client.send(handshake(`/ws?${query}`))
      expect((await client.response()).status).toBe(status)
      if (status === 101) {
        client.send(text('hello'))
        expect((await client.frame()).payload.toString()).toBe('hello')
        client.send(close(1000))
      }
      client.destroy()
    }
    expect(asked).toEqual(['admin GET /a yes', 'admin GET /a no', 'admin GET /ws yes', 'admin GET /ws no'])
    await host.stop()
  })

  it('an action may have a role of its own: both are asked, the route first', async () => {
    const asked: string[] = []
    const routes: Route[] = [
      { match: '/plain/', handler: 'action', trim: '/plain' },
      { match: '/', handler: 'action', role: 'admin' },
    ]
    const host = createHost({ web: { engine, listen: '127.0.0.1:0', webSockets: { protocol: null }, routes } }, parts)
    host.addAction('/own', tell, 'owner')
    host.addAction('/open', tell, 'public')
    host.authorize = ({ query }, role) => {
      asked.push(role)
      return query.includes(role)
    }
    expect(await host.start()).toBe(0)
    const port = host.listening[0]?.port ?? 0
    for (const [path, status, roles] of [
      ['/own?admin-owner', 200, ['admin', 'owner']],
      ['/own?admin', 403, ['admin', 'owner']],
      ['/own?owner', 403, ['admin']],
      ['/plain/own?owner', 200, ['owner']],
      ['/plain/own', 403, ['owner']],
      ['/plain/open', 200, []],
      ['/plain/none', 404, []],
    ] as const) {
      asked.length = 0
      expect([(await ask(port, path)).status, [...asked]], path).toEqual([status, roles])
      const client = await RawClient.connect(port)
      client.send(handshake(path))
      expect((await client.response()).status, path).toBe(status === 200 ? 101 : status)
      client.destroy()
    }
    await host.free()
  })

  it('trap 48: one that throws or rejects is a 500, and the process lives', async () => {
    const { host, port } = await hosted((web) => {
      if (web.query === 'throw') throw new Error('in the hook')
      return Promise.reject(new Error('in the hook'))
    })
    for (const query of ['throw', 'reject']) {
      const { status, body } = await ask(port, `/a?${query}`)
      expect([status, String(body)]).toEqual([500, 'Internal Server Error\n'])
      const client = await RawClient.connect(port)
      client.send(handshake(`/ws?${query}`))
      expect((await client.response()).status).toBe(500)
      client.destroy()
    }
    expect((await ask(port, '/public')).status).toBe(200)
    await host.stop()
  })

  it('trap 49: a client that has gone before the hook answers is not upgraded', async () => {
    const asked = deferred()
    const decision = deferred<boolean>()
    const { host, port } = await hosted(() => {
      asked.resolve()
      return decision.promise
    })
    const client = await RawClient.connect(port)
    client.send(handshake('/ws'))
    await asked.promise
    client.reset()
    await client.until(() => client.closed || null).catch(() => {})
    // Somebody else is served meanwhile, and behind that the server has seen it go.
    expect((await ask(port, '/public')).status).toBe(200)
    decision.resolve(true)
    expect((await ask(port, '/public')).status).toBe(200)
    expect(host.connections).toBe(0)
    await host.stop()
  })
})
