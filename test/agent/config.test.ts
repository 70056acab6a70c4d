import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { channel } from '../../lib/web/config/channel.ts'
import { ConfigError } from '../../lib/web/config/error.ts'
import { checkConfig, loadConfig } from '../../lib/web/config/load.ts'
import type { RouteSettings, Settings } from '../../lib/web/config/settings.ts'
import type { ChannelSettings } from '../../lib/web/config/channel-settings.ts'
import { Certificates } from '../support/certificate.ts'
import { Folder, Service } from '../support/service.ts'

let folder = ''
let certificates = new Certificates()
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-agent-'))
  certificates.remove()
  certificates = new Certificates('own', 'other')
  certificates.use('own')
})
afterAll(() => {
  rmSync(folder, { recursive: true })
  certificates.remove()
})

const ssl = () => ({ sslCertfile: certificates.tls.certificate, sslKeyfile: certificates.tls.key })

type Block = Readonly<Record<string, unknown>>

const config = (block: Block): object => ({ channels: { websocket: { enabled: true, ...block } } })
const check = (block: Block): Settings => checkConfig(config(block), folder)

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
const problems = (block: Block): string[] => refusals(() => check(block))

/** What is wrong with a file of that text, without its folder. */
function wrong(text: string): string[] {
  const file = join(folder, 'config.json')
  writeFileSync(file, text)
  return refusals(() => loadConfig(file, { environment: {} })).map((line) => line.replace(`${folder}/`, ''))
}

function socketOf({ routes }: Settings): RouteSettings {
  const found = routes.find((route) => route.channel?.part === 'socket')
  if (found === undefined) throw new Error('there is no channel')
  return found
}
function channelOf(settings: Settings): ChannelSettings {
  const { channel: door } = socketOf(settings)
  if (door === null) throw new Error('there is no channel')
  return door.settings
}
const pathOf = (settings: Settings): string => socketOf(settings).match
const issuePathOf = (block: Block): string | null => channelOf(check(block)).issuePath

/** Keys, and both ends of what they may be. */
const RANGES = [
  ['port', 0, 65_535],
  ['tokenTtlS', 30, 86_400],
  ['maxMessageBytes', 1024, 16_777_216],
  ['pingIntervalS', 5, 300],
  ['pingTimeoutS', 5, 300],
] as const

const FLAGS = ['enabled', 'websocketRequiresToken', 'streaming'] as const
const KEYS = [
  ...FLAGS,
  ...RANGES.map(([key]) => key),
  ...(['host', 'path', 'token', 'tokenIssuePath', 'tokenIssueSecret', 'allowFrom'] as const),
  ...(['sslCertfile', 'sslKeyfile'] as const),
]

describe('defaults', () => {
  it("are the seed's", () => {
    const settings = check({})
    expect(settings.endpoints).toMatchObject([{ host: '127.0.0.1', port: 8765, tls: null }])
    expect(pathOf(settings)).toBe('/')
    expect(socketOf(settings).webSockets).toMatchObject({
      maxMessage: 1_048_576,
      pingPeriod: 20_000,
      pongTimeout: 20_000,
    })
    expect(channelOf(settings)).toMatchObject({
      token: null,
      requiresToken: true,
      issuePath: null,
      issueSecret: null,
      tokenTtlS: 300,
      allowFrom: null,
      streaming: true,
      multiChat: false,
      turnEvents: false,
      progress: false,
      reasoning: false,
      commands: false,
      agent: { type: 'echo' },
    })
    expect(socketOf(settings).origins).toEqual([])
  })

  it('the schema has them for every key of the seed', () => {
    const defaults = Object.fromEntries(KEYS.map((key) => [key, channel.properties[key].default]))
    expect(defaults).toEqual({
      enabled: false,
      host: '127.0.0.1',
      port: 8765,
      path: '/',
      token: '',
      websocketRequiresToken: true,
      tokenIssuePath: '',
      tokenIssueSecret: '',
      tokenTtlS: 300,
      allowFrom: ['*'],
      streaming: true,
      maxMessageBytes: 1_048_576,
      pingIntervalS: 20,
      pingTimeoutS: 20,
      sslCertfile: '',
      sslKeyfile: '',
    })
  })

  it('a channel that is not enabled has no listener and no routes', () => {
    for (const block of [{}, { enabled: false }, { enabled: false, tokenIssuePath: '/auth' }]) {
      const { endpoints, routes } = checkConfig({ channels: { websocket: block } }, folder)
      expect(endpoints.map(({ port }) => port)).toEqual([8080])
      expect(routes.filter((route) => route.channel !== null)).toEqual([])
    }
  })
})

describe('host and port', () => {
  it('are those of its listener', () => {
    expect(check({ host: '0.0.0.0', port: 9000 }).endpoints).toMatchObject([{ host: '0.0.0.0', port: 9000 }])
    expect(check({ port: 0 }).endpoints).toMatchObject([{ port: 0 }])
  })
})

describe('path', () => {
  it.each([
    ['/', '/'],
    ['/ws', '/ws'],
    ['/ws/', '/ws'],
    ['/ws//', '/ws'],
    ['/chat/ws/', '/chat/ws'],
  ])('%s is %s', (given, path) => {
    expect(pathOf(check({ path: given }))).toBe(path)
  })

  it.each(['bad', '', ' /ws', 'ws/'])("'%s' does not start with a slash", (path) => {
    expect(problems({ path })).toEqual([`channels.websocket.path: path must start with "/", got '${path}'`])
  })
})

describe('tokenIssuePath', () => {
  it.each([
    ['', null],
    ['   ', null],
    ['/auth/token', '/auth/token'],
    ['/auth/token//', '/auth/token'],
    ['  /auth/token/  ', '/auth/token'],
  ])("'%s' is %s", (tokenIssuePath, path) => {
    expect(issuePathOf({ tokenIssuePath })).toBe(path)
  })

  it('must start with a slash', () => {
    expect(problems({ tokenIssuePath: 'auth' })).toEqual([
      `channels.websocket.tokenIssuePath: token_issue_path must start with "/", got 'auth'`,
    ])
  })

  it.each([
    { path: '/ws', tokenIssuePath: '/ws/' },
    { path: '/ws//', tokenIssuePath: ' /ws ' },
    { tokenIssuePath: '/' },
    { path: '/', token_issue_path: '//' },
  ])('must differ from the path: %j', (block) => {
    expect(problems(block)).toEqual([
      expect.stringMatching(
        /^channels\.websocket\.(?:tokenIssuePath|token_issue_path): token_issue_path must differ from path \(the WebSocket upgrade path\)/,
      ),
    ])
  })

  it('may be below the path, or differ in case only', () => {
    expect(issuePathOf({ path: '/ws', tokenIssuePath: '/ws/token' })).toBe('/ws/token')
    expect(issuePathOf({ path: '/ws', tokenIssuePath: '/WS' })).toBe('/WS')
  })
})

describe('secrets', () => {
  it('are trimmed, and blank ones are none', () => {
    const { token, issueSecret } = channelOf(check({ token: ' tok ', tokenIssueSecret: '\thush\n' }))
    expect([token, issueSecret]).toEqual(['tok', 'hush'])
    const blank = channelOf(check({ token: '  ', tokenIssueSecret: ' \n' }))
    expect([blank.token, blank.issueSecret]).toEqual([null, null])
  })

  it.each(['token', 'tokenIssueSecret', 'token_issue_secret'])('%s is in no message', (key) => {
    expect(problems({ [key]: ['hush-hush'] })).toEqual([
      `channels.websocket.${key}: must be text, got something that is not shown`,
    ])
    expect(problems({ [key]: 4711_4711 })).toEqual([
      `channels.websocket.${key}: must be text, got something that is not shown`,
    ])
  })

  it('are in no message about other keys, and in no warning', () => {
    const block = { token: 'hush-hush', tokenIssueSecret: 'psst-psst', host: '0.0.0.0', nonsense: 1 }
    const said = [...problems({ ...block, port: -1, path: 'x', tokenIssuePath: 'y' }), ...check(block).warnings]
    expect(said.length).toBeGreaterThan(3)
    expect(said.join('\n')).not.toMatch(/hush|psst/)
  })
})

describe('numbers', () => {
  it.each(RANGES)('%s is from %i to %i', (key, least, most) => {
    expect(problems({ [key]: least })).toEqual([])
    expect(problems({ [key]: most })).toEqual([])
    expect(problems({ [key]: least - 1 })).toEqual([`channels.websocket.${key}: must be ≥ ${least}, got ${least - 1}`])
    expect(problems({ [key]: most + 1 })).toEqual([`channels.websocket.${key}: must be ≤ ${most}, got ${most + 1}`])
  })

  it('port 70000 and -1 are none', () => {
    expect(problems({ port: 70_000 })).toEqual(['channels.websocket.port: must be ≤ 65535, got 70000'])
    expect(problems({ port: -1 })).toEqual(['channels.websocket.port: must be ≥ 0, got -1'])
  })

  it('whole ones are whole: 30.5 is an error, 30.0 is not', () => {
    for (const key of ['tokenTtlS', 'port', 'maxMessageBytes']) {
      expect(problems({ [key]: 2000.5 })).toEqual([
        expect.stringMatching(`^channels\\.websocket\\.${key}: .*got 2000\\.5$`),
      ])
    }
    expect(problems({ tokenTtlS: 30.5 }).length).toBe(1)
    expect(wrong('{"channels": {"websocket": {"enabled": true, "tokenTtlS": 30.0}}}')).toEqual([])
    expect(problems({ pingIntervalS: 7.5, pingTimeoutS: 5.25 })).toEqual([])
  })

  it('may be text', () => {
    expect(check({ port: '8766' }).endpoints).toMatchObject([{ port: 8766 }])
    expect(channelOf(check({ tokenTtlS: '60' })).tokenTtlS).toBe(60)
    const { webSockets } = socketOf(check({ pingIntervalS: '7.5', pingTimeoutS: '8', maxMessageBytes: '2048' }))
    expect(webSockets).toMatchObject({ pingPeriod: 7500, pongTimeout: 8000, maxMessage: 2048 })
  })

  it.each(['', 'x', '60s', '0x50', '1e2e3', 'NaN', 'Infinity'])(
    "text that is no number is an error: '%s'",
    (tokenTtlS) => {
      expect(problems({ tokenTtlS }).length).toBe(1)
    },
  )

  it('text has the bounds of numbers', () => {
    expect(problems({ port: '70000' })).toEqual([expect.stringMatching(/^channels\.websocket\.port: must be ≤ 65535/)])
    expect(problems({ tokenTtlS: '30.5' }).length).toBe(1)
  })

  it.each([true, [60], { s: 60 }])('%j is none', (tokenTtlS) => {
    expect(problems({ tokenTtlS })).toEqual([
      expect.stringMatching(/^channels\.websocket\.tokenTtlS: must be a whole number/),
    ])
  })
})

describe('flags', () => {
  const streams = (streaming: unknown): boolean => channelOf(check({ streaming })).streaming

  it.each(['yes', 'on', 'true', 'True', 'YES', '1', 1, true])('%j is true', (given) => {
    expect(streams(given)).toBe(true)
  })

  it.each(['no', 'off', 'false', 'False', 'OFF', '0', 0, false])('%j is false', (given) => {
    expect(streams(given)).toBe(false)
  })

  it.each([2, -1, 0.5, 'maybe', '', [true], {}])('%j is neither', (given) => {
    for (const key of FLAGS) {
      expect(problems({ [key]: given })).toEqual([
        expect.stringMatching(`^channels\\.websocket\\.${key}: must be true or false`),
      ])
    }
  })

  it('text enables, and disables', () => {
    expect(check({ enabled: 'yes' }).endpoints).toMatchObject([{ port: 8765 }])
    expect(check({ enabled: 'no' }).endpoints).toMatchObject([{ port: 8080 }])
    expect(channelOf(check({ websocketRequiresToken: '0' })).requiresToken).toBe(false)
  })
})

describe('null', () => {
  it.each(KEYS)('is an error for %s', (key) => {
    expect(problems({ [key]: null })).toEqual([expect.stringMatching(`^channels\\.websocket\\.${key}: must be `)])
  })
})

describe('allowFrom', () => {
  it('is a list of texts', () => {
    for (const allowFrom of ['*', 'alice', { 0: 'alice' }]) {
      expect(problems({ allowFrom })).toEqual([
        expect.stringMatching(/^channels\.websocket\.allowFrom: must be a list/),
      ])
    }
    for (const allowFrom of [[1], ['alice', null], [['*']]]) {
      expect(problems({ allowFrom })).toEqual([
        expect.stringMatching(/^channels\.websocket\.allowFrom\[\d\]: must be text/),
      ])
    }
  })

  it('with a star anywhere is everybody', () => {
    expect(channelOf(check({ allowFrom: ['alice', '*'] })).allowFrom).toBeNull()
    expect(channelOf(check({ allowFrom: ['alice', 'a*'] })).allowFrom).toEqual(new Set(['alice', 'a*']))
  })

  it('that is empty is nobody: it loads, with a warning', () => {
    const settings = check({ allowFrom: [] })
    expect(channelOf(settings).allowFrom).toEqual(new Set())
    expect(settings.warnings).toEqual(
      expect.arrayContaining([expect.stringMatching(/^channels\.websocket\.allowFrom: /)]),
    )
  })
})

describe('the files of TLS', () => {
  it('make it wss', () => {
    const { endpoints } = check(ssl())
    expect(endpoints.length).toBe(1)
    expect(endpoints[0]?.tls).not.toBeNull()
  })

  it('count from the folder of the config, and may have blanks around them', () => {
    const block = { sslCertfile: ' own.pem ', sslKeyfile: 'own-key.pem' }
    expect(checkConfig(config(block), certificates.folder).endpoints[0]?.tls).not.toBeNull()
  })

  it.each(['sslCertfile', 'sslKeyfile'] as const)('trap 39: %s alone is an error that names both', (key) => {
    for (const other of [{}, { sslCertfile: ' ', sslKeyfile: '', [key]: ssl()[key] }]) {
      const lines = problems({ ...other, [key]: ssl()[key] })
      expect(lines).toEqual([expect.stringContaining('both set, or both empty')])
      expect(lines[0]).toMatch(/sslCertfile/)
      expect(lines[0]).toMatch(/sslKeyfile/)
    }
  })

  it('blank ones are none', () => {
    expect(check({ sslCertfile: ' ', sslKeyfile: '' }).endpoints[0]?.tls).toBeNull()
  })

  it('that cannot be read, or are something else, are errors with their keys', () => {
    const nowhere = join(folder, 'no-such.pem')
    expect(problems({ ...ssl(), sslCertfile: nowhere })).toEqual([
      expect.stringMatching(/^channels\.websocket\.sslCertfile: no such file/),
    ])
    expect(problems({ ...ssl(), sslKeyfile: nowhere })).toEqual([
      expect.stringMatching(/^channels\.websocket\.sslKeyfile: no such file/),
    ])
    const { sslCertfile, sslKeyfile } = ssl()
    expect(problems({ sslCertfile: sslKeyfile, sslKeyfile: sslCertfile })).toEqual([
      expect.stringMatching(/^channels\.websocket\.sslCertfile: is no certificate in PEM/),
      expect.stringMatching(/^channels\.websocket\.sslKeyfile: is no private key in PEM/),
    ])
  })

  it('that do not belong together are an error', () => {
    expect(problems({ ...ssl(), sslKeyfile: certificates.file('other-key.pem') })).toEqual([
      expect.stringMatching(/^channels\.websocket\.sslKeyfile: does not belong to/),
    ])
  })
})

describe('spelling', () => {
  it('trap 40: token_ttl_s and tokenTtlS are equal; with both, camelCase wins', () => {
    expect(channelOf(check({ token_ttl_s: 60 }))).toEqual(channelOf(check({ tokenTtlS: 60 })))
    expect(channelOf(check({ token_ttl_s: 60 })).tokenTtlS).toBe(60)
    expect(channelOf(check({ token_ttl_s: 60, tokenTtlS: 90 })).tokenTtlS).toBe(90)
    expect(channelOf(check({ tokenTtlS: 90, token_ttl_s: 60 })).tokenTtlS).toBe(90)
  })

  it('trap 40: a key in snake_case that does not count may be wrong', () => {
    expect(problems({ tokenTtlS: 90, token_ttl_s: 'never' })).toEqual([])
    expect(problems({ tokenTtlS: 1, token_ttl_s: 60 })).toEqual(['channels.websocket.tokenTtlS: must be ≥ 30, got 1'])
  })

  it('every key has both', () => {
    const camel = {
      websocketRequiresToken: false,
      tokenIssuePath: '/auth',
      tokenIssueSecret: 'hush',
      tokenTtlS: 60,
      allowFrom: ['alice'],
      maxMessageBytes: 2048,
      pingIntervalS: 6,
      pingTimeoutS: 7,
      ...ssl(),
    }
    const snake = {
      websocket_requires_token: false,
      token_issue_path: '/auth',
      token_issue_secret: 'hush',
      token_ttl_s: 60,
      allow_from: ['alice'],
      max_message_bytes: 2048,
      ping_interval_s: 6,
      ping_timeout_s: 7,
      ssl_certfile: ssl().sslCertfile,
      ssl_keyfile: ssl().sslKeyfile,
    }
    expect(check(snake)).toEqual(check(camel))
    expect(check(snake).warnings.filter((line) => line.includes('unknown'))).toEqual([])
    expect(channelOf(check(snake))).not.toEqual(channelOf(check({})))
  })

  it('keys that nobody knows are ignored, with a warning each', () => {
    const { warnings } = check({ tokenTtl: 1, token_tt_ls: 1, publicWsUrl: 'x', Host: 'x' })
    const unknown = warnings.filter((line) => line.includes('unknown key, ignored'))
    expect(unknown.map((line) => line.split(':')[0])).toEqual([
      'channels.websocket.tokenTtl',
      'channels.websocket.token_tt_ls',
      'channels.websocket.publicWsUrl',
      'channels.websocket.Host',
    ])
    expect(unknown[0]).toContain("did you mean 'tokenTtlS'?")
  })
})

describe('errors', () => {
  it('are all there at once, each with its key, its rule and what stands there', () => {
    expect(
      problems({
        port: 70_000,
        path: 'bad',
        token: 5,
        tokenIssuePath: 'auth',
        tokenTtlS: 30.5,
        allowFrom: '*',
        streaming: 2,
        maxMessageBytes: 1,
        ping_interval_s: 301,
      }),
    ).toEqual([
      'channels.websocket.port: must be ≤ 65535, got 70000',
      `channels.websocket.path: path must start with "/", got 'bad'`,
      'channels.websocket.token: must be text, got something that is not shown',
      `channels.websocket.tokenIssuePath: token_issue_path must start with "/", got 'auth'`,
      'channels.websocket.tokenTtlS: must be a whole number, got 30.5',
      "channels.websocket.allowFrom: must be a list, got '*'",
      'channels.websocket.streaming: must be true or false, got 2',
      'channels.websocket.maxMessageBytes: must be ≥ 1024, got 1',
      'channels.websocket.ping_interval_s: must be ≤ 300, got 301',
    ])
  })

  it('have their places in a file, in both spellings', () => {
    expect(
      wrong(`{
  "channels": {
    "websocket": {
      "enabled": "perhaps",
      "token_ttl_s": 5, "tokenIssuePath": "x",
      "allow_from": ["a",
        1]
    }
  }
}`),
    ).toEqual([
      "config.json:4:7 channels.websocket.enabled: must be true or false, got 'perhaps'",
      'config.json:5:7 channels.websocket.token_ttl_s: must be ≥ 30, got 5',
      `config.json:5:25 channels.websocket.tokenIssuePath: token_issue_path must start with "/", got 'x'`,
      'config.json:7:9 channels.websocket.allow_from[1]: must be text, got 1',
    ])
  })

  it('a block that is none', () => {
    for (const websocket of [5, 'on', [], true]) {
      expect(refusals(() => checkConfig({ channels: { websocket } }, folder))).toEqual([
        expect.stringMatching(/^channels\.websocket: must be an object/),
      ])
    }
  })

  it('a secret from the environment is not shown where it is wrong', () => {
    const file = join(folder, 'environment.json')
    writeFileSync(file, JSON.stringify(config({ tokenTtlS: '${TTL}', path: '${TTL}', tokenIssuePath: '${TTL}' })))
    const lines = refusals(() => loadConfig(file, { environment: { TTL: 'hush-hush' } }))
    expect(lines.length).toBe(3)
    expect(lines.join('\n')).not.toContain('hush')
  })
})

describe('warnings', () => {
  const about = (block: Block): string[] =>
    check(block).warnings.filter((line) => line.startsWith('channels.websocket'))

  it('a token is needed, and there is no way to get one', () => {
    expect(about({})).toEqual([expect.stringContaining('no credential can be accepted')])
    expect(about({ token: 'hush-hush' })).toEqual([])
    expect(about({ tokenIssuePath: '/auth', tokenIssueSecret: 'psst-psst' })).toEqual([])
    expect(about({ websocketRequiresToken: false })).toEqual([])
  })

  it('anybody gets tokens, the more so where there is a token that they bypass', () => {
    const open = about({ tokenIssuePath: '/auth' })
    expect(open).toEqual([expect.stringMatching(/^channels\.websocket\.tokenIssueSecret: /)])
    const bypass = about({ tokenIssuePath: '/auth', token: 'hush-hush' })
    expect(bypass).toEqual([expect.stringMatching(/^channels\.websocket\.tokenIssueSecret: /)])
    expect(bypass).not.toEqual(open)
    expect(about({ tokenIssuePath: '/auth', tokenIssueSecret: 'psst-psst' })).toEqual([])
  })

  it('anybody in the network gets in', () => {
    for (const host of ['0.0.0.0', '::']) {
      expect(about({ host, websocketRequiresToken: false }).length).toBe(1)
      expect(about({ host, token: 'hush-hush' })).toEqual([])
    }
    expect(about({ host: '127.0.0.1', websocketRequiresToken: false })).toEqual([])
  })
})

describe("the seed's samples load", () => {
  const NO_AUTH = {
    enabled: true,
    host: '127.0.0.1',
    port: 8765,
    path: '/',
    websocketRequiresToken: false,
    allowFrom: ['*'],
    streaming: true,
  }
  const load = (websocket: Block): Settings => {
    const file = join(folder, 'sample.json')
    writeFileSync(file, JSON.stringify({ channels: { websocket } }, null, 2))
    return loadConfig(file, { environment: {} })
  }

  it('quick start', () => {
    const settings = load(NO_AUTH)
    expect(settings.endpoints).toMatchObject([{ host: '127.0.0.1', port: 8765, tls: null }])
    expect(channelOf(settings)).toMatchObject({ token: null, requiresToken: false, allowFrom: null, streaming: true })
    expect(settings.warnings).toEqual([])
  })

  it('trusted local network', () => {
    const { path: _, ...block } = { ...NO_AUTH, host: '0.0.0.0' }
    const settings = load(block)
    expect(settings.endpoints).toMatchObject([{ host: '0.0.0.0', port: 8765, tls: null }])
    expect(pathOf(settings)).toBe('/')
  })

  it('static token', () => {
    const settings = load({ enabled: true, token: 'my-shared-secret', allowFrom: ['alice', 'bob'] })
    expect(channelOf(settings)).toMatchObject({
      token: 'my-shared-secret',
      requiresToken: true,
      allowFrom: new Set(['alice', 'bob']),
    })
  })

  it('issued tokens', () => {
    const settings = load({
      enabled: true,
      port: 8765,
      path: '/ws',
      tokenIssuePath: '/auth/token',
      tokenIssueSecret: 'your-secret-here',
      tokenTtlS: 300,
      websocketRequiresToken: true,
      allowFrom: ['*'],
      streaming: true,
    })
    expect(pathOf(settings)).toBe('/ws')
    expect(channelOf(settings)).toMatchObject({
      issuePath: '/auth/token',
      issueSecret: 'your-secret-here',
      tokenTtlS: 300,
    })
    expect(settings.routes.map((route) => route.channel?.part)).toEqual(['tokens', 'socket', 'nothing'])
  })

  it('public endpoint', () => {
    const settings = load({
      enabled: true,
      host: '0.0.0.0',
      port: 8765,
      path: '/ws',
      tokenIssuePath: '/auth/token',
      tokenIssueSecret: 'production-secret',
      websocketRequiresToken: true,
      ...ssl(),
      allowFrom: ['*'],
    })
    expect(settings.endpoints).toMatchObject([{ host: '0.0.0.0', port: 8765 }])
    expect(settings.endpoints[0]?.tls).not.toBeNull()
  })

  it('custom path', () => {
    const settings = load({ enabled: true, path: '/chat/ws', allowFrom: ['*'] })
    expect(pathOf(settings)).toBe('/chat/ws')
    expect(channelOf(settings)).toMatchObject({ token: null, requiresToken: true })
  })
})

describe('the command with a config of nanobot', () => {
  it('says where it listens, and where tokens are, but no secret', async () => {
    const block = { port: 0, path: '/ws/', token: 'hush-hush', tokenIssuePath: '/auth', tokenIssueSecret: 'psst-psst' }
    const service = new Service([new Folder().write('config.json', config(block))])
    await service.until(/WebSocket server listening on ws:\/\/127\.0\.0\.1:[1-9]\d*\/ws$[^]*\/auth/m)
    expect(service.said).not.toMatch(/hush|psst/)
  })
})
