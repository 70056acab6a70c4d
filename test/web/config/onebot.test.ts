import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import JSON5 from 'json5'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../lib/web/config/error.ts'
import { checkConfig, effectiveConfig, loadConfig } from '../../../lib/web/config/load.ts'
import { printConfig } from '../../../lib/web/config/print.ts'

let folder = ''
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'fiberws-onebot-'))))
afterAll(() => rmSync(folder, { recursive: true }))

const settings = (config: unknown) => checkConfig(config, folder)

/** The ways to bots that a config makes, each once. */
const endpoints = (config: unknown) => [
  ...new Set(settings(config).routes.flatMap(({ onebot }) => (onebot === null ? [] : [onebot]))),
]
/** Where they listen. */
const listening = (config: unknown) => settings(config).endpoints.map(({ host, port }) => `${host}:${port}`)
const warnings = (config: unknown) => settings(config).warnings

function problems(config: unknown): string {
  try {
    settings(config)
    return ''
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

const LISTS = ['websocketServers', 'websocketClients', 'httpServers', 'httpSseServers', 'httpClients'] as const
const SERVERS = ['websocketServers', 'httpServers', 'httpSseServers'] as const

const on = (more: object = {}) => ({ enable: true, ...more })
const servers = (...all: readonly object[]) => ({ network: { websocketServers: all.map(on) } })
const mounted = (more: object = {}, route: object = {}, web: object = {}) => ({
  web: { ...web, routes: [{ match: '/onebot/', handler: 'onebot', onebot: more, ...route }] },
})

/** From NapCat's guide to WebSockets, to the letter. */
const NAPCAT_SERVER = `{
  "network": {
    "websocketServers": [
      {
        "name": "websocket-server",
        "enable": true,
        "host": "127.0.0.1",
        "port": 3001,
        "messagePostFormat": "array",
        "reportSelfMessage": false,
        "token": "your_secret_token",
        "enableForcePushEvent": true,
        "debug": false,
        "heartInterval": 30000
      }
    ]
  }
}`
const NAPCAT_CLIENT = `{
  "network": {
    "websocketClients": [
      {
        "name": "websocket-client",
        "enable": true,
        "url": "ws://localhost:8082",
        "messagePostFormat": "array",
        "reportSelfMessage": false,
        "reconnectInterval": 5000,
        "token": "your_secret_token",
        "debug": false,
        "heartInterval": 30000
      }
    ]
  }
}`
const NAPCAT_SEVERAL = `{
  "network": {
    "websocketServers": [
      {
        "name": "main-ws",
        "enable": true,
        "port": 3001
      },
      {
        "name": "backup-ws",
        "enable": true,
        "port": 3002
      }
    ],
    "websocketClients": [
      {
        "name": "bot-server-1",
        "enable": true,
        "url": "ws://server1.example.com:8082"
      },
      {
        "name": "bot-server-2",
        "enable": true,
        "url": "ws://server2.example.com:8082"
      }
    ]
  }
}`

const COMMON = {
  bot: 'onebot',
  format: 'array',
  reportSelf: false,
  debug: false,
  filter: null,
  filterFile: null,
  rate: null,
  unknown: 'relay',
  replay: null,
} as const

describe("NapCat's own block", () => {
  it('is taken as it is: a server', () => {
    const config: unknown = JSON.parse(NAPCAT_SERVER)
    expect(endpoints(config)).toEqual([
      {
        kind: 'server',
        name: 'websocket-server',
        ...COMMON,
        heartbeat: 30_000,
        webSockets: true,
        http: false,
        sse: false,
        streamsBeat: false,
        token: 'your_secret_token',
        generatesToken: false,
        wsAuthFailure: 'frame',
        cors: false,
        origins: [],
      },
    ])
    expect(listening(config)).toContain('127.0.0.1:3001')
    expect(warnings(config)).toEqual([])
  })

  it('is taken as it is: a client', () => {
    const config: unknown = JSON.parse(NAPCAT_CLIENT)
    expect(endpoints(config)).toEqual([
      {
        kind: 'link',
        name: 'websocket-client',
        ...COMMON,
        heartbeat: 30_000,
        url: 'ws://localhost:8082',
        token: 'your_secret_token',
        role: 'Universal',
        authScheme: 'Bearer',
        reconnect: 5000,
        reconnectMax: null,
        handshakeTimeout: 2000,
        pingInterval: 30_000,
        pingTimeout: 15_000,
        verifyCertificate: true,
      },
    ])
    expect(warnings(config)).toEqual([])
  })

  it('is taken as it is: several of both', () => {
    const config: unknown = JSON.parse(NAPCAT_SEVERAL)
    expect(endpoints(config).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'server main-ws',
      'server backup-ws',
      'link bot-server-1',
      'link bot-server-2',
    ])
    expect(listening(config)).toEqual(expect.arrayContaining(['127.0.0.1:3001', '127.0.0.1:3002']))
    expect(warnings(config)).toEqual([])
  })

  it('is taken as NapCat writes it, and what is not known is named', () => {
    const config = {
      network: {
        httpServers: [],
        httpSseServers: [],
        httpClients: [],
        websocketServers: [],
        websocketClients: [],
        plugins: [],
      },
      musicSignUrl: '',
      enableLocalFile2Url: false,
      parseMultMsg: false,
      imageDownloadProxy: '',
    }
    expect(endpoints(config)).toEqual([])
    expect(warnings(config)).toEqual([
      'network.plugins: not served by fiberws, ignored',
      'musicSignUrl: not served by fiberws, ignored',
    ])
  })

  it('is taken with what it has beside network; what onebot says itself counts more', () => {
    const beside = { enableLocalFile2Url: true, parseMultMsg: true, imageDownloadProxy: 'http://127.0.0.1:8080' }
    const of = (config: object) => {
      const { inlinesFiles, extras, media } = settings({ network: {}, ...config }).onebot
      return [inlinesFiles, extras.bundles, media.proxy]
    }
    expect(of({})).toEqual([false, false, null])
    expect(of(beside)).toEqual([true, true, 'http://127.0.0.1:8080'])
    expect(of({ onebot: beside })).toEqual(of(beside))
    const own = { enableLocalFile2Url: false, parseMultMsg: false, imageDownloadProxy: '' }
    expect(of({ ...beside, onebot: own })).toEqual([false, false, null])
  })

  it('is the same at the top and in onebot', () => {
    const { network } = servers({ port: 3005, token: 'sesame' })
    expect(endpoints({ onebot: { network } })).toEqual(endpoints({ network }))
    expect(problems({ network, onebot: { network } })).toMatch(/network.*onebot\.network.*say one/)
    expect(problems({ network: {}, onebot: { network: {} } })).toMatch(/say one/)
    expect(problems({ network, onebot: { bot: 'robo' } })).toBe('')
  })

  it('has defaults for all that an entry does not say', () => {
    const config = {
      network: Object.fromEntries(
        LISTS.map((list, i) => [list, [on({ name: `n${i}`, ...(SERVERS.some((one) => one === list) ? {} : {}) })]]),
      ),
    }
    // Both HTTP servers have port 3000 in NapCat.
    expect(problems(config)).toMatch(/httpSseServers\[0\]\.port.*3000/)
    const network = { ...config.network, httpSseServers: [on({ name: 'n3', port: 3003 })] }
    expect(endpoints({ network })).toEqual([
      {
        kind: 'server',
        name: 'n0',
        ...COMMON,
        heartbeat: 30_000,
        webSockets: true,
        http: false,
        sse: false,
        streamsBeat: false,
        token: null,
        generatesToken: false,
        wsAuthFailure: 'frame',
        cors: false,
        origins: [],
      },
      {
        kind: 'link',
        name: 'n1',
        ...COMMON,
        heartbeat: 30_000,
        url: 'ws://localhost:8082',
        token: null,
        role: 'Universal',
        authScheme: 'Bearer',
        reconnect: 5000,
        reconnectMax: null,
        handshakeTimeout: 2000,
        pingInterval: 30_000,
        pingTimeout: 15_000,
        verifyCertificate: true,
      },
      {
        kind: 'server',
        name: 'n2',
        ...COMMON,
        heartbeat: 0,
        webSockets: false,
        http: true,
        sse: false,
        streamsBeat: true,
        token: null,
        generatesToken: false,
        wsAuthFailure: 'frame',
        cors: true,
        origins: [],
      },
      {
        kind: 'server',
        name: 'n3',
        ...COMMON,
        heartbeat: 0,
        webSockets: false,
        http: true,
        sse: true,
        streamsBeat: true,
        token: null,
        generatesToken: false,
        wsAuthFailure: 'frame',
        cors: true,
        origins: [],
      },
      {
        kind: 'webhook',
        name: 'n4',
        ...COMMON,
        heartbeat: 0,
        url: 'http://localhost:8080',
        secret: null,
        accessToken: null,
        timeout: 5000,
        retries: 0,
        retryInterval: 1500,
        queue: 2000,
        verifyCertificate: true,
      },
    ])
    expect(listening({ network })).toEqual(
      expect.arrayContaining(['127.0.0.1:3001', '127.0.0.1:3000', '127.0.0.1:3003']),
    )
  })

  it('has names by default, and nothing that is not enabled', () => {
    for (const [list, name] of [
      ['websocketServers', 'websocket-server'],
      ['websocketClients', 'websocket-client'],
      ['httpServers', 'http-server'],
      ['httpSseServers', 'http-sse-server'],
      ['httpClients', 'http-client'],
    ] as const) {
      expect(endpoints({ network: { [list]: [on()] } }).map((one) => one.name)).toEqual([name])
      expect(endpoints({ network: { [list]: [{}, { enable: false }] } })).toEqual([])
    }
  })

  it('takes what entries say', () => {
    const rateLimit = { enabled: true, frequency: 2.5, bucket: 3 }
    const filter = { user_id: 1 }
    const [server] = endpoints(
      servers({
        messagePostFormat: 'string',
        reportSelfMessage: true,
        debug: true,
        heartInterval: 0,
        bot: 'kettle',
        filter,
        rateLimit,
        unknownSegment: 'error',
        wsAuthFailure: 'http',
        origins: ['https://page.example'],
      }),
    )
    expect(server).toMatchObject({
      format: 'string',
      reportSelf: true,
      debug: true,
      heartbeat: 0,
      bot: 'kettle',
      filter,
      rate: { frequency: 2.5, bucket: 3 },
      unknown: 'error',
      wsAuthFailure: 'http',
      origins: ['https://page.example'],
    })
    // Anything else means segments.
    expect(endpoints(servers({ messagePostFormat: 'cq' }))[0]?.format).toBe('array')
    expect(endpoints(servers({ rateLimit: { frequency: 5 } }))[0]?.rate).toBeNull()
    expect(endpoints(servers({ rateLimit: { enabled: true } }))[0]?.rate).toEqual({ frequency: 1, bucket: 1 })
    expect(
      endpoints({ network: { httpServers: [on({ reportSelfMessage: true, enableWebsocket: true })] } })[0],
    ).toMatchObject({
      reportSelf: false,
      webSockets: true,
      heartbeat: 30_000,
    })
  })

  it('may have any number of an interval that is none', () => {
    expect(problems(servers({ heartInterval: 0 }))).toBe('')
  })

  it('may say a negative interval for none', () => {
    expect(problems(servers({ heartInterval: -1 }))).toBe('')
  })

  it('drops events for who is slow where nothing is forced', () => {
    const of = (more: object) => settings(servers(more)).routes.find(({ onebot }) => onebot !== null)?.webSockets
    expect(of({})).toMatchObject({ backpressure: 'close', maxMessage: 52_428_800, maxBackpressure: 67_108_864 })
    expect(of({ enableForcePushEvent: false })).toMatchObject({ backpressure: 'drop-new' })
  })

  it.each<[string, object, RegExp]>([
    ['a port that is none', { port: 70_000 }, /network\.websocketServers\[0\]\.port/],
    ['a port as text', { port: '3001' }, /network\.websocketServers\[0\]\.port/],
    ['an interval with a unit', { heartInterval: '30s' }, /heartInterval/],
    ['a flag that is none', { enable: 'yes' }, /enable/],
    ['a way to fail that nobody knows', { wsAuthFailure: 'close' }, /wsAuthFailure/],
    ['segments that nobody knows', { unknownSegment: 'keep' }, /unknownSegment/],
    ['a rate of none', { rateLimit: { enabled: true, frequency: 0 } }, /frequency/],
    ['a bucket of none', { rateLimit: { enabled: true, bucket: 0 } }, /bucket/],
    ['a filter that is text', { filter: 'x' }, /filter/],
    ['an origin with a path', { origins: ['https://page.example/path'] }, /origins/],
  ])('is refused with %s', (_what, more, expected) => {
    expect(problems({ network: { websocketServers: [{ enable: true, ...more }] } })).toMatch(expected)
  })

  it.each<[string, object, RegExp]>([
    ['websocketClients', { url: 'http://h/' }, /is not a URL with ws or wss/],
    ['websocketClients', { url: 'h:80' }, /url/],
    ['websocketClients', { role: 'universal' }, /role/],
    ['websocketClients', { authScheme: 'Basic' }, /authScheme/],
    ['httpClients', { url: 'ws://h/' }, /is not a URL with http or https/],
    ['httpClients', { maxQueue: 0 }, /maxQueue/],
  ])('is refused with %s of %j', (list, more, expected) => {
    expect(problems({ network: { [list]: [on(more)] } })).toMatch(expected)
  })

  it('has one entry of each name, of all kinds', () => {
    expect(problems(servers({ name: 'a', port: 3001 }, { name: 'a', port: 3002 }))).toMatch(
      /network\.websocketServers\[1\]\.name.*another entry/,
    )
    expect(problems({ network: { websocketServers: [on({ name: 'a' })], httpClients: [on({ name: 'a' })] } })).toMatch(
      /network\.httpClients\[0\]\.name.*another entry/,
    )
    expect(problems({ network: { websocketClients: [on(), on({ url: 'ws://other/' })] } })).toMatch(/another entry/)
    expect(problems({ ...servers({ name: 'a' }), ...mounted({ name: 'a' }) })).toMatch(/another entry/)
    // Such as are off are not there.
    expect(problems({ network: { websocketServers: [on({ name: 'a' }), { name: 'a' }] } })).toBe('')
  })

  it('has one entry on each port', () => {
    expect(problems(servers({ name: 'a' }, { name: 'b' }))).toMatch(/network\.websocketServers\[1\]\.port.*3001.*a/)
    expect(problems(servers({ name: 'a', host: '0.0.0.0', token: 'sesame' }, { name: 'b' }))).toMatch(/3001/)
    expect(problems(servers({ name: 'a', host: '127.0.0.1' }, { name: 'b', host: '127.0.0.2' }))).toBe('')
    expect(problems(servers({ name: 'a', port: 0 }, { name: 'b', port: 0 }))).toBe('')
    expect(problems(servers({ name: 'a', port: 3001 }, { name: 'b', port: 3002 }))).toBe('')
  })

  it('has none on a port of web', () => {
    const config = (listen: string) => ({ web: { listen }, ...servers({ port: 9000 }) })
    expect(problems(config('http://127.0.0.1:9000'))).toMatch(/9000.*web\.listen.*handler: 'onebot'/)
    expect(problems(config('http://:9000'))).toMatch(/9000.*web\.listen/)
    expect(problems(config('http://127.0.0.1:9001'))).toBe('')
    const channel = { channels: { websocket: { enabled: true, port: 9000 } } }
    expect(problems({ ...channel, ...servers({ port: 9000 }) })).toMatch(/9000.*channels\.websocket/)
  })

  it('has none on the port that web has by default', () => {
    expect(problems({ web: { routes: [{ match: '/', handler: 'file' }] }, ...servers({ port: 8080 }) })).toMatch(/8080/)
  })
})

describe('a door to a bot', () => {
  it.each(SERVERS)('is open for this machine alone: %s', (list) => {
    const of = (more: object): unknown => ({ network: { [list]: [on(more)] } })
    for (const host of ['127.0.0.1', 'localhost', '::1', '127.1.2.3']) {
      expect(problems(of({ host }))).toBe('')
      expect(warnings(of({ host }))).toEqual([])
    }
    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.com']) {
      expect(problems(of({ host }))).toMatch(new RegExp(`network\\.${list}\\[0\\]\\.token: lets in ANYBODY`))
      expect(problems(of({ host, token: '' }))).toMatch(/lets in ANYBODY/)
      for (const more of [{ token: 'sesame' }, { generateToken: true }]) {
        expect(problems(of({ host, ...more }))).toBe('')
        expect(warnings(of({ host, ...more }))).toEqual([])
      }
      expect(problems(of({ host, allowUnauthenticated: true }))).toBe('')
      expect(warnings(of({ host, allowUnauthenticated: true })).join('\n')).toMatch(/ANYBODY who can reach/)
    }
  })

  it('is looked at on a route, too, wherever web listens', () => {
    const open = { listen: 'http://:8080' }
    expect(problems(mounted())).toBe('')
    expect(problems(mounted({}, {}, { listen: 'http://127.0.0.1:8080' }))).toBe('')
    expect(problems(mounted({}, {}, open))).toMatch(/web\.routes\[0\]\.token: lets in ANYBODY/)
    expect(problems(mounted({}, {}, { listen: ['http://127.0.0.1:1', 'http://10.0.0.1:2'] }))).toMatch(/10\.0\.0\.1/)
    expect(problems(mounted({}, { token: 'sesame' }, open))).toBe('')
    expect(problems(mounted({ generateToken: true }, {}, open))).toBe('')
    expect(problems(mounted({ allowUnauthenticated: true }, {}, open))).toBe('')
    expect(warnings(mounted({ allowUnauthenticated: true }, {}, open)).join('\n')).toMatch(/ANYBODY/)
  })

  it('has a token that is made where there is none', () => {
    expect(endpoints(servers({ generateToken: true }))[0]).toMatchObject({ token: null, generatesToken: true })
    expect(endpoints(mounted({ generateToken: true }))[0]).toMatchObject({ token: null, generatesToken: true })
    const [first] = settings(mounted({ generateToken: true })).routes
    // Pages of others may come: they have it, or do not.
    expect(first?.authenticates).toBe(true)
  })
})

describe("go-cqhttp's own list", () => {
  /** As its template has it, in YAML there. */
  const SERVERS_GIVEN = [
    {
      http: {
        'address': '127.0.0.1:5700',
        'timeout': 5,
        'long-polling': { 'enabled': false, 'max-queue-size': 2000 },
        'middlewares': {
          'access-token': 'sesame',
          'filter': '',
          'rate-limit': { enabled: false, frequency: 1, bucket: 1 },
        },
        'post': [
          { 'url': 'http://127.0.0.1:5701/', 'secret': 'hush', 'max-retries': 3, 'retries-interval': 1500 },
          { url: 'http://127.0.0.1:5702/' },
        ],
      },
    },
    { ws: { address: '127.0.0.1:8080', middlewares: { 'access-token': 'sesame' } } },
    {
      'ws-reverse': {
        'universal': 'ws://your_websocket_universal.server',
        'api': 'ws://your_websocket_api.server',
        'event': 'ws://your_websocket_event.server',
        'reconnect-interval': 3000,
        'middlewares': { 'access-token': 'sesame' },
      },
    },
  ]
  const CQ = { ...COMMON, format: 'string' } as const
  const config = { web: { listen: 'http://127.0.0.1:0' }, onebot: { servers: SERVERS_GIVEN } }

  it('is taken as it is', () => {
    const server = {
      http: false,
      webSockets: false,
      sse: false,
      streamsBeat: false,
      generatesToken: false,
      wsAuthFailure: 'http',
      cors: false,
      origins: [],
    }
    const hook = {
      kind: 'webhook',
      ...CQ,
      heartbeat: 5000,
      accessToken: null,
      timeout: 5000,
      retries: 3,
      retryInterval: 1500,
      queue: 2000,
      verifyCertificate: true,
    }
    expect(endpoints(config)).toEqual([
      { kind: 'server', name: 'servers[0].http', ...CQ, ...server, http: true, token: 'sesame', heartbeat: 0 },
      { ...hook, name: 'servers[0].http.post[0]', url: 'http://127.0.0.1:5701/', secret: 'hush' },
      { ...hook, name: 'servers[0].http.post[1]', url: 'http://127.0.0.1:5702/', secret: null },
      { kind: 'server', name: 'servers[1].ws', ...CQ, ...server, webSockets: true, token: 'sesame', heartbeat: 5000 },
      {
        kind: 'link',
        name: 'servers[2].ws-reverse.Universal',
        ...CQ,
        heartbeat: 5000,
        url: 'ws://your_websocket_universal.server',
        token: 'sesame',
        role: 'Universal',
        authScheme: 'Token',
        reconnect: 3000,
        reconnectMax: null,
        handshakeTimeout: 10_000,
        pingInterval: 30_000,
        pingTimeout: 15_000,
        verifyCertificate: true,
      },
    ])
    expect(listening(config)).toEqual(expect.arrayContaining(['127.0.0.1:5700', '127.0.0.1:8080']))
  })

  const link = (reverse: object) => endpoints({ onebot: { servers: [{ 'ws-reverse': reverse }] } })

  it('has one connection for both, or one for each', () => {
    const urls = (reverse: object): unknown[] =>
      link(reverse).map((one) => (one.kind === 'link' ? [one.role, one.url] : []))
    expect(urls({ api: 'ws://a/', event: 'ws://e/' })).toEqual([
      ['API', 'ws://a/'],
      ['Event', 'ws://e/'],
    ])
    expect(urls({ universal: '', api: 'ws://a/', event: '' })).toEqual([['API', 'ws://a/']])
    expect(urls({ universal: 'ws://u/', api: 'ws://a/' })).toEqual([['Universal', 'ws://u/']])
    expect(urls({})).toEqual([])
    expect(problems({ onebot: { servers: [{ 'ws-reverse': { universal: 'http://h/' } }] } })).toMatch(/ws or wss/)
  })

  it('waits 3 s by default, and 5 s with 0', () => {
    const wait = (more: object): unknown =>
      link({ universal: 'ws://u/', ...more }).map((one) => one.kind === 'link' && one.reconnect)
    expect(wait({})).toEqual([3000])
    expect(wait({ 'reconnect-interval': 0 })).toEqual([5000])
    expect(wait({ 'reconnect-interval': 700 })).toEqual([700])
  })

  it('waits 5 s at least for what is posted', () => {
    const wait = (timeout: number): unknown =>
      endpoints({ onebot: { servers: [{ http: { timeout, post: [{ url: 'http://h/' }] } }] } }).map(
        (one) => one.kind === 'webhook' && one.timeout,
      )
    expect([wait(1), wait(0), wait(7)]).toEqual([[5000], [5000], [7000]])
  })

  it('has heartbeats and messages of all of them in one place', () => {
    const of = (more: object) => endpoints({ onebot: { servers: [{ ws: { address: '127.0.0.1:6700' } }], ...more } })[0]
    expect(of({})).toMatchObject({ heartbeat: 5000, format: 'string', reportSelf: false, unknown: 'relay' })
    expect(of({ heartbeat: { interval: 15 } })?.heartbeat).toBe(15_000)
    expect(of({ heartbeat: { interval: 0 } })?.heartbeat).toBe(5000)
    expect(of({ heartbeat: { interval: -1 } })?.heartbeat).toBe(0)
    expect(of({ heartbeat: { interval: 15, disabled: true } })?.heartbeat).toBe(0)
    expect(
      of({ message: { 'post-format': 'array', 'report-self-message': true, 'ignore-invalid-cqcode': true } }),
    ).toMatchObject({ format: 'array', reportSelf: true, unknown: 'drop' })
  })

  it('says of messages what is for all of them, and what is of QQ does nothing', () => {
    const message = {
      'post-format': 'string',
      'ignore-invalid-cqcode': false,
      'force-fragment': false,
      'fix-url': false,
      'proxy-rewrite': '',
      'report-self-message': false,
      'remove-reply-at': true,
      'extra-reply-data': true,
      'skip-mime-scan': false,
      'convert-webp-image': false,
      'http-timeout': 15,
    }
    const of = (more: object) => settings({ onebot: { servers: [], ...more } }).onebot
    expect(of({ message }).extras).toEqual({ bundles: false, replies: true, withoutReplyAt: true })
    expect(of({}).extras).toEqual({ bundles: false, replies: false, withoutReplyAt: false })
    expect(of({ message: { 'remove-reply-at': true } }).extras).toMatchObject({ replies: false, withoutReplyAt: true })
    const said = warnings({ onebot: { servers: [], message } })
    expect(said).toEqual(
      ['force-fragment', 'fix-url', 'skip-mime-scan', 'convert-webp-image'].map(
        (key) => `onebot.message.${key}: not served by fiberws, ignored`,
      ),
    )
    const wait = (seconds: number, media = {}): unknown =>
      of({ message: { 'http-timeout': seconds }, media }).media.timeout
    expect([wait(15), wait(0), wait(15, { timeout: 700 })]).toEqual([15_000, 30_000, 700])
  })

  it('has nothing where it is disabled', () => {
    const [http, ws, reverse] = SERVERS_GIVEN
    const disabled = (one: object | undefined) => ({ ...one, disabled: true })
    const given = [
      { http: disabled(http?.http) },
      { ws: disabled(ws?.ws) },
      { 'ws-reverse': disabled(reverse?.['ws-reverse']) },
      { ws: { disabled: true, address: '0.0.0.0:6700' } },
    ]
    expect(endpoints({ onebot: { servers: given } })).toEqual([])
    expect(warnings({ onebot: { servers: given } })).toEqual([
      'onebot.servers[0].http.long-polling: not served by fiberws, ignored',
    ])
    expect(listening({ ...config, onebot: { servers: given } })).toEqual(['127.0.0.1:0'])
  })

  it('has addresses in all ways that it has them', () => {
    const of = (ws: object): unknown => listening({ onebot: { servers: [{ ws }] } }).at(-1)
    expect(of({ address: '127.0.0.1:6700' })).toBe('127.0.0.1:6700')
    expect(of({ address: 'tcp4://127.0.0.1:6700' })).toBe('127.0.0.1:6700')
    expect(of({ address: 'tcp6://[::1]:6700' })).toBe('::1:6700')
    expect(of({ host: '127.0.0.1', port: 6700 })).toBe('127.0.0.1:6700')
    for (const kind of ['ws', 'http']) {
      const given = { onebot: { servers: [{ [kind]: { address: 'unix:///tmp/x.sock' } }] } }
      expect(problems(given)).toMatch(/address: is a UNIX socket, which is not served: say host:port/)
    }
    expect(problems({ onebot: { servers: [{ ws: { address: 'nonsense:x' } }] } })).toMatch(/address/)
  })

  it('is as careful with doors, names and ports', () => {
    const ws = { address: '0.0.0.0:6700' }
    expect(problems({ onebot: { servers: [{ ws }] } })).toMatch(/onebot\.servers\[0\]\.ws\.token: lets in ANYBODY/)
    expect(problems({ onebot: { servers: [{ ws: { ...ws, middlewares: { 'access-token': 'x' } } }] } })).toBe('')
    const meant = { onebot: { servers: [{ ws: { ...ws, allowUnauthenticated: true } }] } }
    expect(problems(meant)).toBe('')
    expect(warnings(meant).join('\n')).toMatch(/ANYBODY/)
    const here = { address: '127.0.0.1:6700' }
    expect(problems({ onebot: { servers: [{ ws: here }, { http: here }] } })).toMatch(/6700.*servers\[0\]\.ws/)
    expect(problems({ onebot: { servers: [{ ws: here }] }, ...servers({ port: 6700 }) })).toMatch(/6700/)
  })

  it('has filters in files: one that is broken, or is not there, filters nothing, and is told', () => {
    mkdirSync(join(folder, 'filters'), { recursive: true })
    writeFileSync(join(folder, 'filters/good.json'), "{ user_id: 1, /* me */ '.not': {} }")
    writeFileSync(join(folder, 'filters/broken.json'), '{')
    writeFileSync(join(folder, 'filters/list.json'), '[]')
    const of = (filter: string) => ({
      onebot: { servers: [{ ws: { address: '127.0.0.1:6700', middlewares: { filter } } }] },
    })
    expect(endpoints(of('filters/good.json'))[0]).toMatchObject({
      filter: { 'user_id': 1, '.not': {} },
      filterFile: join(folder, 'filters/good.json'),
    })
    expect(warnings(of('filters/good.json'))).toEqual([])
    for (const [name, why] of [
      ['broken.json', 'is no filter'],
      ['list.json', 'is no filter'],
      ['gone.json', 'is not there'],
    ]) {
      expect(endpoints(of(`filters/${name}`))[0]?.filter).toBeNull()
      expect(warnings(of(`filters/${name}`)).join('\n')).toContain(
        `onebot.servers[0].ws.middlewares.filter: ${why}: everything is told`,
      )
    }
  })

  it('has filters in files: one with an operator that nobody knows filters nothing, and is told', () => {
    writeFileSync(join(folder, 'like.json'), "{ '.like': 'x' }")
    const given = {
      onebot: { servers: [{ ws: { address: '127.0.0.1:6700', middlewares: { filter: 'like.json' } } }] },
    }
    expect(endpoints(given)[0]?.filter).toBeNull()
    expect(warnings(given).join('\n')).toMatch(/is no filter/)
  })
})

describe('a program that speaks', () => {
  it('is looked for from the folder of the config, or where programs are', () => {
    const of = (...command: string[]) => settings({ onebot: { tts: { command } } }).onebot.speech?.command
    expect(of('./say.sh', './x')).toEqual([join(folder, 'say.sh'), './x'])
    expect(of('bin/say')).toEqual([join(folder, 'bin/say')])
    expect(of('espeak-ng', '--stdout')).toEqual(['espeak-ng', '--stdout'])
    expect(of('/usr/bin/say')).toEqual(['/usr/bin/say'])
  })
})

describe('bots of a config', () => {
  it('have names, numbers and servers', () => {
    expect(settings({ onebot: {} }).onebot.bots).toEqual([{ handle: 'onebot', selfId: null, join: [] }])
    expect(
      settings({
        onebot: {
          bot: 'robo',
          selfId: 20_001,
          join: ['Harbour'],
          bots: { kettle: { selfId: 5 }, robo: { join: ['x'] } },
        },
      }).onebot.bots,
    ).toEqual([
      { handle: 'robo', selfId: 20_001, join: ['Harbour'] },
      { handle: 'kettle', selfId: 5, join: [] },
    ])
    expect(endpoints({ onebot: { bot: 'robo' }, ...servers({}) })[0]?.bot).toBe('robo')
    expect(endpoints({ onebot: { bot: 'robo' }, ...mounted({}, { bot: 'kettle' }) })[0]?.bot).toBe('kettle')
  })

  it('have numbers that can be told apart', () => {
    for (const selfId of [0, -1, 1.5, 2 ** 53, '20001']) {
      expect(problems({ onebot: { selfId } })).toMatch(/onebot\.selfId/)
      expect(problems({ onebot: { bots: { a: { selfId } } } })).toMatch(/onebot\.bots\.a\.selfId/)
    }
  })

  it('are in one process', () => {
    for (const given of [
      servers({}),
      mounted(),
      { onebot: { servers: [{ ws: { address: '127.0.0.1:6700' } }] } },
      { network: { websocketClients: [on()] } },
      { network: { httpClients: [on()] } },
    ]) {
      const web = 'web' in given ? given.web : {}
      expect(problems({ ...given, web: { ...web, workers: 2 } })).toMatch(/web\.workers.*a bot: say 1/)
      expect(problems({ ...given, web: { ...web, workers: 1 } })).toBe('')
    }
  })

  it('have keys that nobody knows named, with what was meant', () => {
    const given = { network: { websocketServers: [on({ messagePostFormt: 'string' })], websocketServer: [] } }
    const told = warnings(given).join('\n')
    expect(told).toMatch(/network\.websocketServers\[0\]\.messagePostFormt: unknown key.*'messagePostFormat'/)
    expect(told).toMatch(/network\.websocketServer: unknown key.*'websocketServers'/)
    expect(warnings({ web: { routes: [{ match: '/', handler: 'file', bot: 'robo' }] } }).join('\n')).toMatch(
      /bot: is for handler: 'onebot', ignored/,
    )
  })

  it('have a route for each mount, with and without a slash behind', () => {
    const routes = settings(mounted()).routes.filter(({ handler }) => handler === 'onebot')
    expect(routes.map(({ match, exact, trim, maxBody }) => [match, exact, trim, maxBody])).toEqual([
      ['/onebot/', false, '/onebot', 52_428_800],
      ['/onebot', true, '/onebot', 52_428_800],
    ])
    expect(endpoints(mounted())).toHaveLength(1)
    expect(endpoints(mounted())[0]).toMatchObject({
      name: '/onebot/',
      webSockets: true,
      http: true,
      sse: true,
      streamsBeat: false,
      token: null,
      cors: true,
      heartbeat: 30_000,
    })
    expect(endpoints(mounted({}, { token: 'sesame', origins: ['https://page.example'] }))[0]).toMatchObject({
      token: 'sesame',
      origins: ['https://page.example'],
    })
  })
})

describe('secrets of bots', () => {
  const SECRETS = [
    'hush-server',
    'hush-link',
    'hush-hook',
    'hush-access',
    'hush-cq',
    'hush-cq-post',
    'hush-route',
    'hush-options',
  ]
  const config = {
    web: { routes: [{ match: '/onebot/', handler: 'onebot', token: 'hush-route' }] },
    network: {
      websocketServers: [on({ token: 'hush-server' })],
      websocketClients: [on({ token: 'hush-link' })],
      httpClients: [on({ token: 'hush-hook', accessToken: 'hush-access' })],
    },
    onebot: {
      platformOptions: { key: 'hush-options' },
      servers: [
        {
          http: {
            address: '127.0.0.1:5700',
            middlewares: { 'access-token': 'hush-cq' },
            post: [{ url: 'http://127.0.0.1/', secret: 'hush-cq-post' }],
          },
        },
      ],
    },
  }

  function print(value: unknown, environment: Record<string, string> = {}): string {
    const file = join(folder, 'secret.json5')
    writeFileSync(file, JSON5.stringify(value))
    const { value: effective, hidden } = effectiveConfig(file, { environment })
    return printConfig(effective, hidden)
  }

  it('are not in what is printed', () => {
    expect(problems(config)).toBe('')
    const printed = print(config)
    expect(printed).toContain('(secret)')
    for (const secret of SECRETS) expect(printed).not.toContain(secret)
  })

  it('are not in what is printed from the environment', () => {
    const printed = print(servers({ token: '${TOKEN}' }), { TOKEN: 'hush-env' })
    expect(printed).not.toContain('hush-env')
    const file = join(folder, 'secret.json5')
    expect(
      loadConfig(file, { environment: { TOKEN: 'hush-env' } }).routes.some(
        ({ onebot }) => onebot?.kind === 'server' && onebot.token === 'hush-env',
      ),
    ).toBe(true)
  })

  it('are not in what is wrong', () => {
    const wrong = [
      { network: { websocketServers: [on({ token: ['hush'] })] } },
      { network: { websocketServers: [on({ token: { hush: 'hush' } })] } },
      {
        network: {
          websocketServers: [
            { enable: 'hush-not', token: 'hush' },
            { ...on(), port: 'x', token: 'hush' },
          ],
        },
      },
      { network: { httpClients: [on({ accessToken: ['hush'] })] } },
      { onebot: { servers: [{ ws: { address: 'x:y', middlewares: { 'access-token': 'hush' } } }] } },
      { onebot: { platformOptions: 'hush' } },
      { network: { websocketClients: [on({ token: 'hush', url: 'nonsense' })] } },
    ]
    for (const one of wrong) {
      const said = problems(one)
      expect(said).not.toBe('')
      expect(said.replaceAll('hush-not', '')).not.toContain('hush')
    }
  })

  it('of URLs are not in what is wrong', () => {
    const said = problems({ network: { websocketClients: [on({ url: 'http://user:hush@h/?access_token=hush' })] } })
    expect(said).not.toBe('')
    expect(said).not.toContain('hush')
  })

  it('of URLs are not in what is printed', () => {
    const url = 'ws://user:hush@h/?access_token=hush'
    expect(print({ network: { websocketClients: [on({ url })] } })).not.toContain('hush')
  })
})
