import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Config, GatewayConfig } from '../../../include-types/web.ts'
import { ConfigError } from '../../../lib/web/config/error.ts'
import { checkConfig, loadConfig } from '../../../lib/web/config/load.ts'
import { findRoute } from '../../../lib/web/router.ts'

const folder = mkdtempSync(join(tmpdir(), 'fiberws-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const settings = (gateway: GatewayConfig, web: Config['web'] = {}) =>
  checkConfig({ gateway, web: { routes: [{ match: '/ws', handler: 'gateway' }], ...web } }, '/base')
const problems = (config: unknown): string => {
  try {
    checkConfig(config, '/')
    return ''
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

describe('the gateway of a config', () => {
  it('has the defaults of its specification', () => {
    expect(settings({}).gateway).toEqual({
      apiPrefix: '',
      jwtSecret: null,
      accessTtl: 900_000,
      refreshTtl: 604_800_000,
      idle: 300_000,
      rateWindow: 1000,
      reclaim: 30_000,
      resumeFor: 300_000,
      resumeEvents: 1000,
      resumeBytes: 16 * 1024 * 1024,
      iceTtl: 43_200_000,
      maxFrame: 16_384,
      maxBackpressure: 16 * 1024 * 1024,
      maxBody: 65_536,
      maxFile: 8 * 1024 * 1024,
      rate: 20,
      maxConnections: 10,
      closesOnExpiry: true,
      limitsRates: true,
      origins: [],
      iceServers: [],
      register: true,
      demo: false,
    })
  })

  it('is two routes: its socket, and its API beside it', () => {
    const { routes } = settings(
      { apiPrefix: '/api' },
      {
        routes: [
          { match: '/gate', handler: 'gateway' },
          { match: '/', handler: 'file' },
        ],
      },
    )
    const handlerOf = (path: string): string => {
      const route = findRoute(routes, path)
      return `${route?.handler} ${route?.segments === null ? 'itself' : 'api'}`
    }
    expect(handlerOf('/gate')).toBe('gateway itself')
    expect(handlerOf('/gate/')).toBe('file itself')
    for (const path of ['/api/auth/login', '/api/servers', '/api/servers/', '/api/dm-channels/x', '/api/health']) {
      expect(handlerOf(path)).toBe('gateway api')
    }
    for (const path of ['/auth/login', '/api', '/api/', '/api/authx', '/api/x/auth', '/apiauth', '/api//auth']) {
      expect(handlerOf(path)).toBe('file itself')
    }
  })

  it('brings limits of its own; those of other routes are theirs', () => {
    const { routes, server } = settings(
      { wsIdleS: 7, wsMaxFrame: '8K', maxBackpressure: '2MB' },
      {
        limits: { maxMessage: '64MB', maxFrame: 100 },
        routes: [
          { match: '/ws', handler: 'gateway' },
          { match: '/', handler: 'action' },
        ],
      },
    )
    expect(routes[0]?.webSockets).toMatchObject({
      maxMessage: 8192,
      maxSent: 0,
      maxFrame: 0,
      maxBackpressure: 2 * 1024 * 1024,
      timeout: 7000,
      inboundOnly: true,
    })
    expect(server.paths).toEqual([{ path: '/ws', listeners: ['127.0.0.1:8080'], maxMessage: 8192 }])
    expect(routes.at(-1)?.webSockets).toMatchObject({ maxMessage: 64 * 1024 * 1024, maxFrame: 100 })
    expect(routes.at(-1)?.webSockets.maxSent).toBeUndefined()
  })

  it('a limit of 0 messages is none', () => {
    expect(settings({ wsRate: 0 }).gateway.rate).toBe(Infinity)
  })

  it('allowedOrigins is another name of origins', () => {
    expect(settings({ allowedOrigins: ['https://a.example'] }).gateway.origins).toEqual(['https://a.example'])
  })

  it('each key can be said by the environment, over the file', () => {
    const file = join(folder, 'web.json5')
    writeFileSync(
      file,
      `{ gateway: { accessTtlS: 5, register: true }, web: { routes: [{ match: '/ws', handler: 'gateway' }] } }`,
    )
    const environment = {
      FIBERWS_ACCESS_TTL_S: '60',
      FIBERWS_REGISTER: 'false',
      FIBERWS_ORIGINS: 'https://a.example, https://b.example',
      FIBERWS_JWT_SECRET: 'k'.repeat(32),
      FIBERWS_DATA: '/elsewhere',
    }
    const { gateway, data } = loadConfig(file, { environment })
    expect(gateway).toMatchObject({
      accessTtl: 60_000,
      register: false,
      origins: ['https://a.example', 'https://b.example'],
      jwtSecret: 'k'.repeat(32),
    })
    expect(data.folder).toBe('/elsewhere')
    expect(() => loadConfig(file, { environment: { FIBERWS_ACCESS_TTL_S: 'soon' } })).toThrow(
      "FIBERWS_ACCESS_TTL_S: must be a number, got 'soon'",
    )
  })

  it('the data folder is relative to the file; that of a flag to where one is', () => {
    const file = join(folder, 'data.json5')
    writeFileSync(file, `{ dataDir: 'mine' }`)
    expect(loadConfig(file, { environment: {} }).data).toEqual({ folder: join(folder, 'mine'), full: true })
    expect(loadConfig(file, { environment: {}, flags: { data: 'x' } }).data.folder).toBe(join(process.cwd(), 'x'))
    expect(checkConfig({ synchronous: 'normal' }, '/base').data).toEqual({ folder: '/base/data', full: false })
  })

  it.each<[string, unknown]>([
    ['a short secret', { gateway: { jwtSecret: 'x'.repeat(31) } }],
    ['half a second', { gateway: { accessTtlS: 0.5 } }],
    ['a negative rate', { gateway: { wsRate: -1 } }],
    ['a prefix that ends in a slash', { gateway: { apiPrefix: '/api/' } }],
    ['a prefix without one in front', { gateway: { apiPrefix: 'api' } }],
    ['an origin with a path', { gateway: { origins: ['https://a.example/x'] } }],
    [
      'two gateways',
      {
        web: {
          routes: [
            { match: '/a', handler: 'gateway' },
            { match: '/b', handler: 'gateway' },
          ],
        },
      },
    ],
    ['workers', { web: { workers: 2, routes: [{ handler: 'gateway' }] } }],
    ['as many workers as cores', { web: { workers: 'auto', routes: [{ handler: 'gateway' }] } }],
  ])('%s is an error', (_what, config) => {
    expect(problems(config)).toMatch(/gateway|workers/)
  })

  it('one worker is none, and workers without a gateway are fine', () => {
    expect(problems({ web: { workers: 1, routes: [{ handler: 'gateway' }] } })).toBe('')
    expect(problems({ web: { workers: 2, routes: [{ handler: 'file' }] } })).toBe('')
  })

  it('a secret is not shown by what is wrong with it', () => {
    expect(problems({ gateway: { jwtSecret: 'only-this-much' } })).not.toContain('only-this-much')
  })
})
