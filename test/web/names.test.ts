import { describe, expect, it } from 'vitest'
import type { Config, RouteConfig } from '../../include-types/web.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { ask, open, plain } from '../support/door.ts'
import { byEngine } from '../support/differences.ts'
import { handshake } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const action = (more: RouteConfig = {}): RouteConfig[] => [{ match: '/', handler: 'action', ...more }]

describe.each(engines)('the names of a host on the %s engine', (engine) => {
  const hosts = ['example.com', '*.Example.NET', '192.0.2.1', '[::1]', 'localhost']
  it.each([
    ['example.com', true],
    ['EXAMPLE.com', true],
    ['example.com:8080', true],
    ['example.com.', true],
    ['example.com.:443', true],
    ['a.example.com', false],
    ['example.com.evil.test', false],
    ['notexample.com', false],
    ['a.example.net', true],
    ['a.b.EXAMPLE.net:80', true],
    ['a.example.net.', true],
    ['example.net', false],
    ['aexample.net', false],
    ['a.example.net.evil.test', false],
    ['192.0.2.1', true],
    ['192.0.2.1:80', true],
    ['192.0.2.11', false],
    ['[::1]', true],
    ['[::1]:8080', true],
    ['[::2]', false],
    ['::1', false],
    ['localhost', true],
    ['*.example.net', false],
    ['', false],
  ])('%j: %s', async (name, ours) => {
    const door = await open(engine, { hosts })
    const Host = name
    // What is no name at all is told so.
    const refused = /^[*:]/.test(name) ? 400 : 421
    expect((await door.get('/', { Host })).status).toBe(ours ? 200 : refused)
    expect((await door.knock('/', { Host })).status).toBe(ours ? 101 : refused)
  })

  it('a request without a Host', async () => {
    const door = await open(engine, { hosts })
    expect((await door.get('/', { Host: null, Accept: '*/*' })).status).toBe(400)
    const old = await ask(await door.connect(), 'GET / HTTP/1.0\r\nAccept: */*\r\n\r\n')
    expect(old.status).toBe(byEngine(engine, 'HTTP/1.0', { node: 421, uws: 505 }))
    const empty = await open(engine, { hosts: [] })
    expect((await empty.get('/', { Host: 'localhost' })).status).toBe(421)
  })

  it('two Hosts are never taken', async () => {
    const door = await open(engine, { hosts })
    const client = await door.connect()
    client.send(plain('/', { Host: 'evil.test\r\nHost: example.com' }))
    const answer = String(await client.rest())
    expect(answer).not.toContain('200 OK')
  })

  // Was wrong: redirects are looked at before the name, and send the browser to a name that is not ours.
  it('nobody is redirected to a name that is not ours', async () => {
    const door = await open(engine, { hosts, redirect: [{ from: 'http://', to: 'https' }] })
    expect((await door.get('/', { Host: 'example.com' })).headers['location']).toBe('https://example.com/')
    const { status, headers } = await door.get('/', { Host: 'evil.test' })
    expect([status, headers['location']]).toEqual([421, undefined])
  })

  // Was wrong: 'example.com:' is a Host (RFC 3986 §3.2.3), and is redirected to localhost.
  it('a port may be empty', async () => {
    const door = await open(engine, { hosts, redirect: [{ from: 'http:///old', to: 'https:///new' }] })
    expect((await door.get('/', { Host: 'example.com:' })).status).toBe(200)
    expect((await door.get('/old', { Host: 'example.com:' })).headers['location']).toBe('https://example.com/new')
  })
})

describe.each(engines)('pages that open a WebSocket of a %s host', (engine) => {
  /** What a page of an origin gets that calls the host so. */
  async function knock(web: Config['web'], Host: string, Origin: string, more: Record<string, string> = {}) {
    const door = await open(engine, { routes: action(), ...web })
    const port = String(door.port)
    const fill = (text: string): string => text.replaceAll('PORT', port)
    const { status } = await door.knock('/', { Host: fill(Host), Origin: fill(Origin), ...more })
    return status
  }

  it.each([
    ['localhost:PORT', 'http://localhost:PORT', 101],
    ['LocalHost:PORT', 'http://localhost:PORT', 101],
    ['app.localhost:PORT', 'http://app.localhost:PORT', 101],
    ['localhost.:PORT', 'http://localhost.:PORT', 101],
    ['127.0.0.1:PORT', 'http://127.0.0.1:PORT', 101],
    ['127.0.0.1:PORT', 'https://127.0.0.1:PORT', 101],
    ['[::1]:PORT', 'http://[::1]:PORT', 101],
    ['192.0.2.7', 'http://192.0.2.7', 101],
    ['127.0.0.1:PORT', 'http://localhost:PORT', 403],
    ['localhost:PORT', 'http://localhost', 403],
    ['localhost:PORT', 'http://evil.test', 403],
    ['evil.test', 'http://localhost', 403],
    // Names that somebody has let point here.
    ['evil.test', 'http://evil.test', 403],
    ['evil.test:PORT', 'http://evil.test:PORT', 403],
    ['EVIL.test', 'http://evil.test', 403],
    ['localhost.evil.test', 'http://localhost.evil.test', 403],
    ['evillocalhost', 'http://evillocalhost', 403],
    ['127.0.0.1.evil.test', 'http://127.0.0.1.evil.test', 403],
    ['1.evil.test', 'http://1.evil.test', 403],
  ])('at %s, from %s: %i', async (Host, Origin, status) => {
    expect(await knock({}, Host, Origin)).toBe(status)
  })

  it.each<[string, Config['web'], Record<string, string>, number]>([
    ['it is in hosts', { hosts: ['*.ours.test'] }, {}, 101],
    ['it is not in hosts', { hosts: ['www.ours.test'] }, {}, 421],
    ['it is our name', { name: 'App.ours.test' }, {}, 101],
    ['another is our name', { name: 'ours.test' }, {}, 403],
    ['it is listed as an origin', { routes: action({ origins: ['http://app.ours.test'] }) }, {}, 101],
    ['any origin may', { routes: action({ origins: ['*'] }) }, {}, 101],
    ['a proxy of ours says so', { trustedProxies: ['127.0.0.1'] }, { 'X-Forwarded-For': '192.0.2.1' }, 101],
    ['a proxy of ours could say so', { trustedProxies: ['127.0.0.1'] }, {}, 403],
    ['somebody else says so', { trustedProxies: ['10.0.0.1'] }, { 'X-Forwarded-For': '192.0.2.1' }, 403],
    ['somebody says so', {}, { 'X-Forwarded-For': '127.0.0.1' }, 403],
    ['others can reach it', { listen: ['127.0.0.1:0', '0.0.0.0:0'] }, {}, 101],
    ['only this machine can', { listen: ['127.0.0.1:0', '127.0.0.2:0'] }, {}, 403],
  ])('at a name of some domain, and from there, where %s', async (_why, web, headers, status) => {
    expect(await knock(web, 'app.ours.test', 'http://app.ours.test', headers)).toBe(status)
    // None of these lets in another page.
    const other = status === 101 && web?.routes?.[0]?.origins?.[0] === '*' ? 101 : status === 421 ? 421 : 403
    expect(await knock(web, 'app.ours.test', 'http://evil.test', headers)).toBe(other)
  })

  it('with a token, and without a list, pages of any origin may; with a list its own', async () => {
    const headers = { Origin: 'http://evil.test', Authorization: 'Bearer t' }
    const page = async (more: RouteConfig, path = '/'): Promise<number> => {
      const door = await open(engine, { routes: action({ token: 't', ...more }) })
      return (await door.knock(path, { Host: 'some.test', ...headers })).status
    }
    expect(await page({})).toBe(101)
    expect(await page({ origins: [] })).toBe(101)
    expect(await page({ origins: ['http://good.test'] })).toBe(403)
    expect(await page({ origins: ['http://evil.test'] })).toBe(101)
    const door = await open(engine, { routes: action({ token: 't' }) })
    expect((await door.knock('/', { Host: 'some.test', Origin: 'http://evil.test' })).status).toBe(401)
    expect((await door.knock('/?token=t', { Host: 'some.test', Origin: 'null' })).status).toBe(101)
  })

  it('an Origin that is none is refused, and programs need none', async () => {
    const door = await open(engine, { routes: action() })
    const Host = 'localhost'
    for (const Origin of ['null', 'localhost', '//localhost', 'http://', 'http://localhost, http://localhost', '*']) {
      expect((await door.knock('/', { Host, Origin })).status, Origin).toBe(403)
    }
    expect((await door.knock('/', { Host })).status).toBe(101)
    expect((await door.knock('/', { Host: 'evil.test' })).status).toBe(101)
    const twice = handshake('/', { Host, Origin: 'http://localhost\r\nOrigin: http://evil.test' })
    expect((await ask(await door.connect(), twice)).status).toBe(403)
  })
})

describe('whether only this machine can reach a host', () => {
  const isLoopback = (...listen: string[]): boolean => checkConfig({ web: { listen } }, '/').admission.loopback

  it.each([
    [['127.0.0.1:0'], true],
    [['127.1.2.3:0', 'localhost:0', '[::1]:0'], true],
    [['127.0.0.1:0', '0.0.0.0:0'], false],
    [[':0'], false],
    [['[::]:0'], false],
    [['192.0.2.1:0'], false],
    [['example.com:0'], false],
    [['localhost.example.com:0'], false],
    [['[::1:1]:0'], false],
  ])('%j: %s', (listen, only) => {
    expect(isLoopback(...listen)).toBe(only)
  })

  // Was wrong: other spellings are taken for addresses that others can reach, so that pages of any name are let in.
  it.each(['LOCALHOST:0', '[0:0:0:0:0:0:0:1]:0', '[::ffff:127.0.0.1]:0'])('%s: true', (listen) => {
    expect(isLoopback(listen)).toBe(true)
  })
})
