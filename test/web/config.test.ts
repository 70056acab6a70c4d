import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig, toSettings } from '../../lib/web/config.ts'

const problems = (value: unknown): string[] => {
  try {
    toSettings(value, '/folder')
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

describe('config', () => {
  it('an empty one has defaults', () => {
    expect(toSettings({}, '/folder')).toMatchObject({
      engine: 'auto',
      endpoints: [{ host: '127.0.0.1', port: 8080, tls: null }],
      protocols: ['chat'],
      webSockets: { maxFrame: 102_400, maxMessage: 102_400, timeout: 300_000, pingPeriod: 0, validateUTF: true },
      server: { maxHeader: 10_240, maxConnections: 10_000, maxRequests: 1000, parseTimeout: 5000 },
      routes: [{ match: '', handler: 'file', documents: '/folder/site', index: 'index.html' }],
      drain: 10_000,
      warnings: [],
    })
  })

  it("the seed's block works as it is", () => {
    const { routes, protocols, webSockets, warnings } = toSettings(
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
    expect(protocols).toEqual(['chat'])
    expect(webSockets.pingPeriod).toBe(Infinity)
    expect(warnings).toEqual([])
  })

  it('websocket-run trap 43: a ping of 1sec is 1,000 ms', () => {
    expect(toSettings({ web: { webSockets: { ping: '1sec' } } }, '/').webSockets.pingPeriod).toBe(1000)
  })

  it('names every problem at once, by its key', () => {
    const found = problems({
      web: {
        listen: ['http://127.0.0.1:99999', 'https://x:1', 'ftp://x'],
        timeouts: { inactivity: '5m' },
        limits: { maxMessage: '500kib' },
        webSockets: { ping: '-1' },
      },
      tls: { certificate: './no.pem', key: './no.key' },
    })
    expect(found.map((line) => line.split(':', 1).join()).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'tls.certificate',
      'tls.key',
      'web.limits.maxMessage',
      'web.listen',
      'web.listen',
      'web.timeouts.inactivity',
      'web.webSockets.ping',
    ])
    expect(
      problems({ web: { listen: 5, routes: [{ match: 3 }, { handler: 'fiel' }] } }).map((line) => line.split(':')[0]),
    ).toEqual(['web.listen', 'web.routes.0.match', 'web.routes.1.handler'])
    expect(problems({ web: { listen: 'https://127.0.0.1:1' } })[0]).toContain('needs tls.certificate')
    expect(problems([])).toEqual(['config: must be object'])
  })

  it('unknown keys are named and ignored', () => {
    const { warnings } = toSettings(
      { web: { routs: [], routes: [{ mach: 1 }], limits: { sessions: 20 } }, _old: {} },
      '/',
    )
    expect(warnings).toEqual([
      'web.routs: unknown key, ignored',
      'web.routes[0].mach: unknown key, ignored',
      'web.limits.sessions: unknown key, ignored',
      '_old: unknown key, ignored',
    ])
  })

  it.each([
    ['http://127.0.0.1:8080', '127.0.0.1', 8080],
    ['127.0.0.1:0', '127.0.0.1', 0],
    [':8080', '::', 8080],
    ['http://[::1]:81', '::1', 81],
    ['localhost', 'localhost', 80],
  ])('listen %s', (listen, host, port) => {
    expect(toSettings({ web: { listen } }, '/').endpoints).toEqual([{ host, port, tls: null }])
  })

  it('a file that is not there, or no JSON5, is said by name', () => {
    expect(() => loadConfig('/no/such.json5')).toThrow(/\/no\/such\.json5: no such file/)
    expect(() => loadConfig(join(import.meta.dirname, 'config.test.ts'))).toThrow(
      /config\.test\.ts: JSON5: invalid character/,
    )
  })

  it('the samples are valid, without a warning', () => {
    for (const file of ['samples/web.json5', 'samples/echo/web.json5']) {
      expect(readFileSync(file, 'utf8')).toContain('web:')
      expect(loadConfig(file).warnings).toEqual([])
    }
  })
})
