import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RouteConfig, Web } from '../../include-types/web.ts'
import { parts } from '../../lib/parts.ts'
import { WEB_HOOK_END } from '../../lib/web/hooks.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { webWriteResponse } from '../../lib/web/reply.ts'
import { webReadBody } from '../../lib/web/web.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { ask } from '../support/http.ts'
import { deferred } from '../support/memory.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-admission-'))
  mkdirSync(join(folder, 'site'))
  writeFileSync(join(folder, 'site', 'start.log'), 'started')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe.each(engines)('admission on the %s engine', (engine) => {
  const calls: string[] = []
  /** A host of these routes; its actions note that they were called. */
  async function hosted(routes: RouteConfig[], prepare: (host: Host) => void = () => {}, more = {}) {
    calls.length = 0
    const action = (web: Web): unknown => {
      calls.push(web.path)
      return web.webSocket === null ? webWriteResponse(web, 200, '%s', web.path) : webSocketRun(web.webSocket, () => {})
    }
    const host = createHost({ web: { engine, listen: '127.0.0.1:0', ...more, routes } }, parts)
    host.addAction('/own', action, 'owner')
    host.addAction('/open', action)
    prepare(host)
    expect(await host.start()).toBe(0)
    const port = host.listening[0]?.port ?? 0
    const upgrade = async (path: string, headers: Record<string, string | null> = {}): Promise<number> => {
      const client = await RawClient.connect(port)
      client.send(handshake(path, headers))
      const { status } = await client.response()
      client.destroy()
      return status
    }
    return { host, port, upgrade }
  }
  const everything: RouteConfig = { match: '/', handler: 'action' }

  it('Origin: the same host and port, or one that is listed, letter by letter', async () => {
    const { host, port, upgrade } = await hosted([{ ...everything, origins: ['https://app.example'] }])
    const Host = `localhost:${port}`
    for (const [origin, status] of [
      [`http://localhost:${port}`, 101],
      [`https://localhost:${port}`, 101],
      [`http://localhost:${port + 1}`, 403],
      ['http://localhost', 403],
      [`http://localhost.evil:${port}`, 403],
      ['https://app.example', 101],
      ['https://app.example.evil.com', 403],
      ['https://app.example:444', 403],
      ['http://app.example', 403],
      ['null', 403],
    ] as const) {
      expect(await upgrade('/open', { Host, Origin: origin }), origin).toBe(status)
    }
    await host.free()
  })

  it('in its order: handshake, route, method, redirect, origin, credential, role, sub-protocol, action', async () => {
    const routes: RouteConfig[] = [
      {
        match: '/a/',
        handler: 'action',
        methods: ['GET', 'OPTIONS'],
        token: 't',
        role: 'admin',
        origins: ['https://good.example'],
      },
      { match: '/gone', handler: 'action', methods: ['GET'], redirect: '/open', token: 't' },
      { match: '/r/', handler: 'action', role: 'admin', trim: '/r' },
      { match: '/p/', handler: 'action', role: 'public', trim: '/p' },
      everything,
    ]
    const { host, port, upgrade } = await hosted(routes, (one) => {
      one.authorize = ({ query }, role) => query.includes(role)
    })
    const evil = { Origin: 'https://evil.example' }
    const bad = { 'Sec-WebSocket-Key': null }
    const version = { 'Sec-WebSocket-Version': '8' }
    const other = { 'Sec-WebSocket-Protocol': 'other' }
    for (const [path, headers, status] of [
      ['/a/x', { ...bad, ...evil }, 400],
      ['/a/x', { ...version, ...evil }, 426],
      ['/a/x', evil, 403],
      ['/a/x', other, 401],
      ['/a/x?token=t', other, 403],
      ['/a/x?token=t&admin', other, 400],
      ['/a/x?token=t&admin', {}, 404],
      ['/gone', evil, 302],
      ['/r/none', other, 403],
      ['/r/none?admin', other, 400],
      ['/r/none?admin', {}, 404],
      ['/r/own?admin', other, 403],
      ['/r/own?admin-owner', {}, 101],
      ['/p/own', {}, 403],
      ['/p/own?owner', {}, 101],
      ['/ownx?owner', {}, 404],
      ['/own/x?owner', {}, 101],
    ] as const) {
      expect(await upgrade(path, headers), `${path} ${JSON.stringify(headers)}`).toBe(status)
    }
    const plain = async (path: string, method = 'GET'): Promise<number> => (await ask(port, path, { method })).status
    expect(await plain('/a/x', 'POST')).toBe(405)
    expect(await plain('/a/x', 'OPTIONS')).toBe(200)
    expect(await plain('/gone', 'POST')).toBe(405)
    expect(await plain('/gone')).toBe(302)
    expect(await plain('/r/none')).toBe(403)
    expect(await plain('/p/own')).toBe(403)
    expect(await plain('/ownx?owner')).toBe(404)
    await host.free()
  })

  it('a bad handshake is told where there is no route, too', async () => {
    const { host, upgrade } = await hosted([{ match: '/only', handler: 'action' }])
    expect(await upgrade('/nowhere', { 'Sec-WebSocket-Key': null })).toBe(400)
    expect(await upgrade('/nowhere', { 'Sec-WebSocket-Version': '8' })).toBe(426)
    expect(await upgrade('/nowhere')).toBe(404)
    await host.free()
  })

  it.each(['Basic Bearer abc', 'Bearer abc x', 'xBearer abc', 'Bearer abcd', 'Bearer', ''])(
    'the credential %j is none',
    async (value) => {
      const { host, port } = await hosted([{ ...everything, token: 'abc' }])
      expect((await ask(port, '/open', { headers: { Authorization: value } })).status).toBe(401)
      expect((await ask(port, '/open', { headers: { Authorization: 'bearer abc' } })).status).toBe(200)
      await host.free()
    },
  )

  it('an action does not run for who has gone while a role was asked', async () => {
    const [asked, decision, over] = [deferred(), deferred<boolean>(), deferred<string>()]
    const { host, port } = await hosted([{ ...everything, role: 'admin' }], (one) => {
      one.authorize = () => {
        asked.resolve()
        return decision.promise
      }
      one.hook = (web, event) => {
        if (event === WEB_HOOK_END) over.resolve(`${web.remote} ${web.status}`)
      }
    })
    const client = await RawClient.connect(port)
    client.send(Buffer.from('GET /open HTTP/1.1\r\nHost: x\r\n\r\n'))
    await asked.promise
    client.reset()
    expect(await over.promise).toBe('127.0.0.1 0')
    decision.resolve(true)
    await new Promise((resolve) => setImmediate(resolve))
    expect(calls).toEqual([])
    await host.free()
  })

  it('bodies in chunks are held to the limit of their route, above and below that of the host', async () => {
    const bodies: (number | null)[] = []
    const read = async (web: Web): Promise<void> => {
      const body = await webReadBody(web)
      bodies.push(body?.length ?? null)
      if (body !== null) webWriteResponse(web, 200, '%d', body.length)
    }
    const routes: RouteConfig[] = [
      { match: '/small/', handler: 'action', limits: { body: 10 } },
      { match: '/large/', handler: 'action', limits: { body: 5000 } },
      { match: '/any/', handler: 'action', limits: { body: 0 } },
      everything,
    ]
    const { host, port } = await hosted(routes, (one) => one.addAction('/', read), { limits: { body: 1000 } })
    for (const [path, length, status] of [
      ['/small/x', 10, 200],
      ['/small/x', 11, 413],
      ['/x', 1000, 200],
      ['/x', 1001, 413],
      ['/large/x', 5000, 200],
      ['/large/x', 5001, 413],
      ['/any/x', 100_000, 200],
    ] as const) {
      const client = await RawClient.connect(port)
      client.send(Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`))
      const half = Math.floor(length / 2)
      for (const size of [half, length - half]) {
        client.send(Buffer.from(`${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`))
      }
      client.send(Buffer.from('0\r\n\r\n'))
      expect((await client.response()).status, `${path} ${length}`).toBe(status)
      client.destroy()
    }
    expect(bodies).toEqual([10, null, 1000, null, 5000, null, 100_000])
    await host.free()
  })

  it('a body whose peer goes is null', async () => {
    const [begun, body] = [deferred(), deferred<Buffer | null>()]
    const { host, port } = await hosted([everything], (one) =>
      one.addAction('/', async (web) => {
        begun.resolve()
        body.resolve(await webReadBody(web))
      }),
    )
    const client = await RawClient.connect(port)
    client.send(Buffer.from('POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'))
    await begun.promise
    client.reset()
    expect(await body.promise).toBeNull()
    await host.free()
  })

  it('a handler that throws at once is a 500', async () => {
    const handlers = {
      ...parts.handlers,
      file: () => ({
        methods: ['GET'],
        upgrades: false,
        find: () => ({
          role: null,
          serve: () => {
            throw new Error('in the handler')
          },
        }),
      }),
    }
    const host = createHost({ web: { engine, listen: '127.0.0.1:0', routes: [{}] } }, { ...parts, handlers })
    expect(await host.start()).toBe(0)
    expect((await ask(host.listening[0]?.port ?? 0, '/')).status).toBe(500)
    await host.free()
  })

  it('a host that could not start can, once its port is free; warnings are those of one start', async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    const address = blocker.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const host = createHost({ web: { engine, listen: `127.0.0.1:${port}`, routes: [{ handler: 'action' }] } }, parts)
    expect([await host.start(), host.error]).toEqual([-28, expect.stringContaining('is in use') as unknown])
    await new Promise((resolve) => blocker.close(resolve))
    expect(await host.start()).toBe(0)
    const { warnings } = host
    expect(warnings).toHaveLength(1)
    await host.stop()
    expect(await host.start()).toBe(0)
    expect(host.warnings).toEqual(warnings)
    await host.free()
  })

  it('web.index, web.mime', async () => {
    const documents = join(folder, 'site')
    const web = { index: 'start.log', mime: { '.log': 'text/x-log' }, documents }
    const { host, port } = await hosted([{}], undefined, web)
    const { headers, body } = await ask(port, '/')
    expect([headers['content-type'], String(body)]).toEqual(['text/x-log; charset=utf-8', 'started'])
    await host.free()
  })
})
