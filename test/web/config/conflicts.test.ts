import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../lib/web/config/error.ts'
import { checkConfig, effectiveConfig, loadConfig } from '../../../lib/web/config/load.ts'
import { printConfig } from '../../../lib/web/config/print.ts'

const TLS = join(import.meta.dirname, '../../support/tls')
const tls = { certificate: join(TLS, 'cert.pem'), key: join(TLS, 'key.pem') }

let folder = ''
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'fiberws-conflicts-'))))
afterAll(() => rmSync(folder, { recursive: true }))

/** The lines of a ConfigError; none where there is none. */
function problems(value: unknown): string[] {
  try {
    checkConfig(value, folder)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
}
const warnings = (value: unknown): readonly string[] => checkConfig(value, folder).warnings
const listening = (...listen: string[]): string[] => problems({ web: { listen }, tls })

describe('servers that clients set up calls with', () => {
  const turn = ['turn:turn.harbour.test']
  const stun = ['stun:stun.harbour.test']
  it.each<[object, RegExp | null]>([
    [{ urls: [] }, /urls: has no address/],
    [{ urls: turn }, /iceServers\[0\]: is for TURN, which needs/],
    [{ urls: [...stun, 'turns:turn.harbour.test'] }, /is for TURN, which needs/],
    [{ urls: turn, username: 'ada' }, /is for TURN, which needs/],
    [{ urls: turn, credential: 'c' }, /is for TURN, which needs/],
    [{ urls: turn, secret: 's', username: 'ada' }, /secret: is in place of username and credential/],
    [{ urls: stun, secret: 's', credential: 'c' }, /secret: is in place of username and credential/],
    [{ urls: turn, secret: 's' }, null],
    [{ urls: turn, username: 'ada', credential: 'c' }, null],
    [{ urls: stun }, null],
  ])('%j', (server, expected) => {
    const found = problems({ gateway: { iceServers: [server] } })
    expect(found.length).toBe(expected === null ? 0 : 1)
    if (expected !== null) expect(found[0]).toMatch(expected)
  })
})

describe('listeners that get in each other’s way', () => {
  it.each([
    [['127.0.0.1:80', '127.0.0.1:80'], 1],
    [['http://127.0.0.1:80', 'https://127.0.0.1:80'], 1],
    [[':80', '127.0.0.1:80'], 1],
    [['127.0.0.1:80', '0.0.0.0:80', '[::1]:80'], 2],
    [['127.0.0.1:80', '127.0.0.1:443', '127.0.0.2:80'], 0],
    [['127.0.0.1:0', '127.0.0.1:0', ':0'], 0],
  ])('%j: %d are too many', (listen, count) => {
    expect(listening(...listen).filter((line) => line.includes('which another address here has already'))).toHaveLength(
      count,
    )
  })

  it('none at all is a mistake', () => {
    expect(listening()).toEqual(['web.listen: has no address: name one, or leave it out'])
  })
})

describe('TLS', () => {
  it('a cipher that OpenSSL does not know is named', () => {
    const ciphers = ['ECDHE-RSA-AES128-GCM-SHA256', 'NOPE']
    expect(problems({ web: { listen: 'https://127.0.0.1:1' }, tls: { ...tls, ciphers } })).toEqual([
      "tls.ciphers[1]: is no name of OpenSSL (`openssl ciphers -v` has them), got 'NOPE'",
    ])
  })

  it('a file that is no PEM, and a key with a passphrase, are said to be that', () => {
    const [garbage, locked] = [join(folder, 'garbage.pem'), join(folder, 'locked.pem')]
    writeFileSync(garbage, 'garbage')
    writeFileSync(locked, '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n')
    const of = (certificate: string, key: string): string[] => problems({ tls: { certificate, key } })
    expect(of(garbage, garbage).map((line) => line.split(',')[0])).toEqual([
      'tls.certificate: is no certificate in PEM',
      'tls.key: is no private key in PEM',
    ])
    expect(of(tls.certificate, locked)[0]).toMatch(/^tls\.key: is encrypted: take the passphrase off with/)
  })

  it('that no listener uses is told', () => {
    expect(warnings({ web: { listen: 'http://127.0.0.1:80' }, tls })).toEqual([
      "tls: no listener is https: say 'https://…' in web.listen, or with --listen",
    ])
    expect(warnings({ web: { listen: ['http://127.0.0.1:80', 'https://127.0.0.1:443'] }, tls })).toEqual([])
  })
})

describe('routes that do nothing', () => {
  it('what matches nothing, and what is never reached', () => {
    const routes = [
      { match: 'x' },
      { match: '/a', exact: true },
      { match: '/b/' },
      { match: '/b/c' },
      { match: '/d/', exact: true },
      { match: '/d/' },
      { match: '/a' },
      { match: '/' },
      { match: '/e' },
      {},
    ]
    expect(warnings({ web: { routes } })).toEqual([
      "web.routes[0].match: matches nothing: paths begin with '/'",
      'web.routes[3]: is never reached: web.routes[2] has its paths',
      'web.routes[6]: is never reached: web.routes[1] has its paths',
      'web.routes[8]: is never reached: web.routes[7] has its paths',
      'web.routes[9]: is never reached: web.routes[7] has its paths',
    ])
  })

  it('what belongs to another handler', () => {
    writeFileSync(join(folder, 'x.mjs'), '')
    const routes = [
      { match: '/f', module: './x.mjs' },
      { match: '/a', handler: 'action', documents: '.', compressed: true, cache: {} },
      { match: '/o', handler: 'onebot', documents: '.' },
    ]
    expect(warnings({ web: { routes, mime: { 'log': 'text/plain', '.txt': 'text/plain' } } })).toEqual([
      "web.routes[0].module: is for handler: 'action', ignored",
      "web.routes[1].documents: is for handler: 'file', ignored",
      "web.routes[1].compressed: is for handler: 'file', ignored",
      "web.routes[1].cache: is for handler: 'file', ignored",
      "web.routes[2].documents: is for handler: 'file', ignored",
      "web.mime.log: matches nothing: say '.log'",
    ])
  })
})

describe('secrets', () => {
  it.each(['', '  '])('an empty token is no protection: %j', (token) => {
    expect(problems({ web: { routes: [{ token }] } })).toEqual([
      'web.routes[0].token: is empty, so anybody would have it: name a secret, or leave it out, got something that is not shown',
    ])
  })

  it('an empty variable is none either, and one that is not there is said once', () => {
    const file = join(folder, 'token.json5')
    writeFileSync(file, "{ web: { routes: [{ token: '${SECRET}' }] } }")
    expect(() => loadConfig(file, { environment: { SECRET: '' } })).toThrow(
      /token: is empty.*got something from the env/,
    )
    expect(() => loadConfig(file, { environment: {} })).toThrow(/^.*token: there is no SECRET in the environment$/)
  })

  it('what came from the environment is not printed, nor what nobody knows', () => {
    const file = join(folder, 'print.json5')
    writeFileSync(
      file,
      "{ web: { headers: { 'X-Key': '${SECRET}' }, tokn: '${SECRET}', routes: [{ _x: 'y', token: 'z' }] } }",
    )
    const { value, hidden } = effectiveConfig(file, { environment: { SECRET: 'hunter2' } })
    const printed = printConfig(value, hidden)
    expect(printed).toContain("'X-Key': '(from the environment)'")
    expect(printed).toContain("token: '(secret)'")
    expect(printed).not.toMatch(/hunter2|tokn|_x/)
  })

  it('nor what is in a list or an object that should be none', () => {
    expect(problems({ web: { routes: { token: 'hush' }, name: ['hush'] } })).toEqual([
      'web.routes: must be a list, got an object',
      'web.name: must be text, got a list',
    ])
  })
})

it('a time of years is no timer of milliseconds', () => {
  expect(checkConfig({ web: { timeouts: { drain: '2months' } } }, folder).drain).toBe(60 * 86_400_000)
  expect(
    checkConfig({ web: { limits: { connections: 0, body: 0 }, timeouts: { inactivity: 0 } } }, folder),
  ).toMatchObject({
    server: { maxConnections: Infinity, maxBody: Infinity, inactivity: Infinity },
    routes: [{ maxBody: Infinity }],
  })
})
