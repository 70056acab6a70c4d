import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../lib/web/config/error.ts'
import { checkConfig, loadConfig } from '../../../lib/web/config/load.ts'

let folder = ''
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'fiberws-config-'))))
afterAll(() => rmSync(folder, { recursive: true }))

/** The lines of a ConfigError; none where there is none. */
function refusals(attempt: () => unknown): string[] {
  try {
    attempt()
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}
const problems = (value: unknown): string[] => refusals(() => checkConfig(value, folder))

/** A config file of that text. */
function file(text: string, name = 'web.json5'): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
/** What is wrong with it, without its folder. */
const wrong = (text: string, given: Parameters<typeof loadConfig>[1] = { environment: {} }): string[] =>
  refusals(() => loadConfig(file(text), given)).map((line) => line.replace(`${folder}/`, ''))

describe('a config', () => {
  it('that is empty has defaults', () => {
    expect(checkConfig({}, '/folder')).toMatchObject({
      engine: 'auto',
      endpoints: [{ name: '127.0.0.1:8080', host: '127.0.0.1', port: 8080, tls: null }],
      upgrades: true,
      protocols: ['chat'],
      webSockets: { maxFrame: 102_400, maxMessage: 102_400, timeout: 300_000, pingPeriod: Infinity, validateUTF: true },
      server: { maxHeader: 10_240, maxConnections: 10_000, maxRequests: 1000, parseTimeout: 5000, maxBody: 102_400 },
      routes: [{ match: '', handler: 'file', documents: '/folder/site', index: 'index.html', token: null, role: null }],
      redirects: [],
      drain: 10_000,
      warnings: [],
    })
  })

  it("the skill's block works as it is", () => {
    const { routes, protocols, webSockets, warnings } = checkConfig(
      {
        web: {
          webSockets: { protocol: 'chat', ping: 'never' },
          routes: [
            { match: '/ws/', handler: 'action' },
            { match: '/', handler: 'file', documents: './site' },
          ],
        },
      },
      '/folder',
    )
    expect(routes.map(({ match, handler, documents }) => [match, handler, documents])).toEqual([
      ['/ws/', 'action', '/folder/site'],
      ['/', 'file', '/folder/site'],
    ])
    expect([protocols, webSockets.pingPeriod, warnings]).toEqual([['chat'], Infinity, []])
  })

  it('websocket-run trap 43: a ping of 1sec is 1,000 ms', () => {
    expect(checkConfig({ web: { webSockets: { ping: '1sec' } } }, '/').webSockets.pingPeriod).toBe(1000)
  })

  it("websocket-run trap 44: inactivity 'never' is none, for the layer and for engines", () => {
    const { webSockets, server } = checkConfig({ web: { timeouts: { inactivity: 'never' } } }, '/')
    expect([webSockets.timeout, server.inactivity]).toEqual([Infinity, Infinity])
  })

  it('cannot be changed by those who read it', () => {
    const settings = checkConfig({ web: { headers: { 'X-A': 'b' } } }, '/')
    for (const part of [settings, settings.routes, settings.routes[0], settings.server, settings.headers[0]]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('what a route allows beyond its host, engines are told', () => {
    const { server, routes } = checkConfig(
      {
        web: {
          limits: { body: '1K' },
          routes: [{ limits: { maxMessage: '1MB', body: '2K' } }, { limits: { maxFrame: 0 } }],
        },
      },
      '/',
    )
    expect(server).toMatchObject({ maxMessage: 1 << 20, maxBody: 2048 })
    const own = routes.map(({ maxBody, webSockets: { maxMessage, maxFrame } }) => ({ maxBody, maxMessage, maxFrame }))
    expect(own).toEqual([
      { maxBody: 2048, maxMessage: 1 << 20, maxFrame: 102_400 },
      { maxBody: 1024, maxMessage: 102_400, maxFrame: 0 },
    ])
  })
})

describe('problems', () => {
  it('are all named at once, each with its place, its rule and what stands there', () => {
    expect(
      wrong(`{
  web: {
    listen: ['http://127.0.0.1:99999', 8080, '9090'],
    engine: 'uvs',
    timeouts: { inactivity: '5m' },   // a size
    limits: {
      maxMessage: '500kib', connections: -1 },
    routes: [
      { match: 3 },
      { handler: 'fiel', methods: ['get'], origins: ['http://x/y'], module: './no.ts' },
    ],
    headers: { 'X-Name': 'a\\nb' },
    redirect: [{ from: '/a' }, { to: 'ftp://x' }],
  },
  tls: { certificate: './no.pem' },
}`),
    ).toEqual([
      "web.json5:3:14 web.listen[0]: is not [http://|https://][host][:port], got 'http://127.0.0.1:99999'",
      'web.json5:3:40 web.listen[1]: must be text, got 8080',
      "web.json5:3:46 web.listen[2]: is only a port: say 127.0.0.1:9090, or :9090 for all addresses, got '9090'",
      "web.json5:4:5 web.engine: must be one of 'auto', 'uws', 'node', got 'uvs'",
      expect.stringMatching(
        /^web\.json5:5:17 web\.timeouts\.inactivity: is not a time: 'm' is a unit of size \(did you mean '5mins'\?\)\..*got '5m'$/,
      ),
      expect.stringMatching(
        /^web\.json5:7:7 web\.limits\.maxMessage: is not a size \(did you mean '500kb'\?\)\..*got '500kib'$/,
      ),
      expect.stringMatching(/^web\.json5:7:29 web\.limits\.connections: is not a count\..*got -1$/),
      'web.json5:9:9 web.routes[0].match: must be text, got 3',
      "web.json5:10:9 web.routes[1].handler: must be one of 'file', 'action', 'observe', 'gateway', 'agent', 'onebot', got 'fiel'",
      "web.json5:10:36 web.routes[1].methods[0]: is not a method in capitals, got 'get'",
      "web.json5:10:54 web.routes[1].origins[0]: is not an origin: say http://host[:port], without a path, or '*', got 'http://x/y'",
      "web.json5:10:69 web.routes[1].module: there is no such file, got './no.ts'",
      expect.stringMatching(/^web\.json5:12:16 web\.headers\.X-Name: Invalid character in header content/),
      'web.json5:13:16 web.redirect[0].to: is needed',
      expect.stringMatching(/^web\.json5:13:34 web\.redirect\[1\]\.to: is not \[scheme:.*got 'ftp:\/\/x'$/),
      'web.json5:15:3 tls.key: is needed',
      "web.json5:15:10 tls.certificate: no such file, got './no.pem'",
    ])
  })

  it('stay on one line, and short, whatever stands there', () => {
    const lines = problems({ web: { limits: { body: `5kib\n${'x'.repeat(500)}` }, headers: { 'a\nb': 'x' } } })
    expect(lines).toEqual([
      expect.stringMatching(/^web\.limits\.body: .*got '5kib\\nx+'... \d+ more characters$/),
      expect.stringMatching(/^web\.headers\['a\\nb'\]: Header name must be/),
    ])
  })

  it('in the order of the file', () => {
    expect(wrong('{ web: { timeouts: { parse: "x" }, engine: 1 } }').map((line) => line.split(' ')[0])).toEqual([
      'web.json5:1:22',
      'web.json5:1:36',
    ])
  })
})

describe('what is wrong together', () => {
  it('https without a certificate; a certificate of clients without an authority, or on uws', () => {
    expect(problems({ web: { listen: 'https://127.0.0.1:1' } })).toEqual([
      'web.listen: https needs tls.certificate and tls.key',
    ])
    const lines = problems({ web: { engine: 'uws' }, tls: { certificate: 'x', key: 'y', verify: { client: true } } })
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'tls.certificate',
      'tls.key',
      'tls.verify.issuer',
      'tls.verify.client',
    ])
  })
})

describe('a file', () => {
  it('that is not there, or a folder, or no JSON5, is said by its name and place', () => {
    expect(refusals(() => loadConfig('/no/such.json5'))).toEqual(['/no/such.json5: no such file'])
    mkdirSync(join(folder, 'sub'), { recursive: true })
    expect(refusals(() => loadConfig(join(folder, 'sub')))[0]).toContain('sub: is a folder')
    expect(wrong("{\n  web: {\n    listen 'x'\n}")).toEqual([
      expect.stringMatching(/^web\.json5:3:12: invalid character/),
    ])
    expect(wrong('')).toEqual([expect.stringMatching(/^web\.json5:1:1: invalid end of input/)])
    expect(wrong('[]')).toEqual(['web.json5:1:1 config: must be an object, got a list'])
    expect(wrong('5')).toEqual(['web.json5:1:1 config: must be an object, got 5'])
  })

  it('may have what JSON5 has: comments, names without quotes, single quotes, commas, hex', () => {
    const settings = loadConfig(
      file("// c\n{ web: { /* c */ 'limits': { connections: 0x10, maxMessage: +.5, }, name: 'a\\\nb', }, }"),
      { environment: {} },
    )
    expect([settings.server.maxConnections, settings.webSockets.maxMessage, settings.name]).toEqual([16, 1, 'ab'])
  })

  it('of two equal keys the last counts, and is the one that is wrong', () => {
    expect(wrong("{ web: { engine: 'node',\n engine: 'x' } }")[0]).toMatch(/^web\.json5:2:2 web\.engine/)
  })

  it('relative paths count from its folder', () => {
    const { routes } = loadConfig(
      file("{ web: { documents: '@site/x', routes: [{}, { documents: '../up' }, { documents: '/abs' }] } }"),
      { environment: {} },
    )
    expect(routes.map(({ documents }) => documents)).toEqual([join(folder, 'site/x'), join(folder, '../up'), '/abs'])
  })
})

describe('unknown keys', () => {
  it('are named once, with what may have been meant, and ignored', () => {
    const path = file(`{ web: { routs: [],
      limits: { maxMesage: 1, sessions: 20, xyz: 1 },
      routes: [{ mach: 1, authType: 'x' }], headers: { 'X-Any': 'y' } }, _old: { a: 1 }, webb: {}, }`)
    expect(loadConfig(path, { environment: {} }).warnings.map((line) => line.replace(`${folder}/`, ''))).toEqual([
      "web.json5:1:10 web.routs: unknown key, ignored (did you mean 'routes'?)",
      "web.json5:2:17 web.limits.maxMesage: unknown key, ignored (did you mean 'maxMessage'?)",
      'web.json5:2:31 web.limits.sessions: not served by fiberws, ignored',
      'web.json5:2:45 web.limits.xyz: unknown key, ignored',
      "web.json5:3:18 web.routes[0].mach: unknown key, ignored (did you mean 'match'?)",
      'web.json5:3:27 web.routes[0].authType: not served by fiberws, ignored',
      "web.json5:3:90 webb: unknown key, ignored (did you mean 'web'?)",
    ])
  })

  it('__proto__ is one of them, and nothing more', () => {
    const { warnings } = loadConfig(file('{ web: { __proto__: { engine: "node" }, constructor: 1 } }'), {
      environment: {},
    })
    expect(warnings.join()).toContain('web.constructor: unknown key')
    expect(Object.hasOwn(Object.prototype, 'engine')).toBe(false)
  })
})

describe('the environment', () => {
  it('stands in for ${NAME} in any text', () => {
    const path = file("{ web: { name: '${A}-${B}', routes: [{ token: '${T}', match: '$A/{x}${' }] } }")
    const { name, routes } = loadConfig(path, { environment: { A: 'one', B: 'two', T: 'secret' } })
    expect([name, routes[0]?.token, routes[0]?.match]).toEqual(['one-two', 'secret', '$A/{x}${'])
  })

  it('a name that is not there is a problem, with its place', () => {
    expect(wrong("{ web: {\n routes: [{ token: '${NOPE}' }] } }")).toEqual([
      'web.json5:2:13 web.routes[0].token: there is no NOPE in the environment',
    ])
  })

  it('its values are never shown', () => {
    const lines = wrong("{ web: { engine: '${E}', limits: { body: '${E}' } } }", { environment: { E: 'hush' } })
    expect(lines.length).toBe(2)
    expect(lines.join('\n')).not.toContain('hush')
  })

  it('may say listen and engine, over the file; flags over both', () => {
    const path = file("{ web: { listen: ':1', engine: 'uws' } }")
    const at = (given: Parameters<typeof loadConfig>[1]) => {
      const { engine, endpoints } = loadConfig(path, given)
      return [engine, ...endpoints.map(({ port }) => port)]
    }
    const environment = { FIBERWS_LISTEN: ':2, :3', FIBERWS_ENGINE: 'node' }
    expect(at({ environment: {} })).toEqual(['uws', 1])
    expect(at({ environment })).toEqual(['node', 2, 3])
    expect(at({ environment, flags: { listen: [':4'], engine: 'auto' } })).toEqual(['auto', 4])
    expect(wrong('{}', { environment: { FIBERWS_ENGINE: 'x' }, flags: { listen: ['5'] } })).toEqual([
      "--listen: is only a port: say 127.0.0.1:5, or :5 for all addresses, got '5'",
      "FIBERWS_ENGINE: must be one of 'auto', 'uws', 'node', got 'x'",
    ])
  })
})

describe('secrets', () => {
  it('are not in what is said about them', () => {
    expect(problems({ web: { routes: [{ token: ['hush'] }] } })).toEqual([
      'web.routes[0].token: must be text, got something that is not shown',
    ])
  })
})

describe('listen', () => {
  it.each([
    ['http://127.0.0.1:8080', '127.0.0.1', 8080],
    ['127.0.0.1:0', '127.0.0.1', 0],
    [':8080', '::', 8080],
    ['http://[::1]:81', '::1', 81],
    ['localhost', 'localhost', 80],
  ])('%s', (listen, host, port) => {
    expect(checkConfig({ web: { listen } }, '/').endpoints).toMatchObject([{ host, port, tls: null }])
  })
})

describe('the samples', () => {
  it.each(['samples/web.json5', 'samples/echo/web.json5'])('%s is valid, without a warning', (sample) => {
    expect(loadConfig(sample).warnings).toEqual([])
  })
})
