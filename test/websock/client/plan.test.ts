import { describe, expect, it } from 'vitest'
import type { UrlWebSocketOptions } from '../../../include-types/client.ts'
import { ClientError } from '../../../lib/websock/client/error.ts'
import { type Plan, toPlan } from '../../../lib/websock/client/plan.ts'
import { R_ERR_BAD_ARGS } from '../../../lib/websock/constants.ts'

/** What a caller of plain JavaScript may pass. */
const loosely = (url: unknown, options: unknown): unknown => Reflect.apply(toPlan, undefined, [url, options])

function planOf(url: unknown, options: UrlWebSocketOptions = {}): Plan {
  const plan = toPlan(url, options)
  if (plan instanceof ClientError) throw plan
  return plan
}

function faultOf(url: unknown, options: unknown = {}): ClientError {
  const plan = loosely(url, options)
  if (plan instanceof ClientError) return plan
  throw new Error('taken')
}

const PLAIN = 'ws://example.org/'

describe('URLs', () => {
  it.each([
    ['ws://example.org', 'http://example.org/'],
    ['wss://example.org', 'https://example.org/'],
    ['http://example.org', 'http://example.org/'],
    ['https://example.org', 'https://example.org/'],
    ['WSS://EXAMPLE.org/A', 'https://example.org/A'],
    ['ws://example.org:80/', 'http://example.org/'],
    ['wss://example.org:443/', 'https://example.org/'],
    ['ws://example.org:443/', 'http://example.org:443/'],
    ['wss://example.org:80/', 'https://example.org:80/'],
    ['ws://example.org:8080/a/b?c=d&e', 'http://example.org:8080/a/b?c=d&e'],
    ['ws://example.org/?', 'http://example.org/?'],
    ['ws://[::1]:9/x', 'http://[::1]:9/x'],
    ['ws://[2001:DB8::1]/', 'http://[2001:db8::1]/'],
    ['ws://127.1/', 'http://127.0.0.1/'],
    ['ws://exämple.org/ä b', 'http://xn--exmple-cua.org/%C3%A4%20b'],
    ['ws://example.org/%23', 'http://example.org/%23'],
    ['ws://example.org/ws://other', 'http://example.org/ws://other'],
    [new URL('wss://example.org:8443/x?y'), 'https://example.org:8443/x?y'],
  ])('%s', (given, expected) => {
    expect(planOf(given).url.href).toBe(expected)
  })

  it.each([
    ['a fragment', 'ws://example.org/#a'],
    ['an empty fragment', 'ws://example.org/#'],
    ['an empty fragment without a path', 'ws://example.org#'],
    ['a fragment behind a query', 'ws://example.org/?a#b'],
    ['a URL object with a fragment', new URL('ws://example.org/#a')],
    ['a URL object with an empty fragment', new URL('ws://example.org/#')],
    ['file:', 'file:///etc/passwd'],
    ['ftp:', 'ftp://example.org/'],
    ['mailto:', 'mailto:a@example.org'],
    ['a URL object of another scheme', new URL('file:///tmp')],
    ['no scheme', 'example.org'],
    ['a path', '/ws'],
    ['without a host', 'ws://'],
    ['a port that is none', 'ws://example.org:65536/'],
    ['an empty string', ''],
    ['undefined', undefined],
    ['null', null],
    ['a number', 80],
    ['an object that says it is one', { href: PLAIN, toString: () => PLAIN }],
    ['an array', [PLAIN]],
    ['a symbol', Symbol('ws://example.org/')],
  ])('not %s', (_name, given) => {
    const fault = faultOf(given)
    expect(fault.code).toBe(R_ERR_BAD_ARGS)
    expect(fault.message).toContain('ws://host')
  })

  // Port 0 is no port to connect to, and node takes it for "the default".
  it('not port 0, which would be taken for port 80', () => {
    expect(faultOf('ws://127.0.0.1:0/').code).toBe(R_ERR_BAD_ARGS)
  })

  it('the URL object that was given stays as it is', () => {
    const given = new URL('ws://user:word@example.org/')
    expect(planOf(given).url).not.toBe(given)
    expect(given.href).toBe('ws://user:word@example.org/')
  })
})

const basic = (user: string): [string, string] => ['Authorization', `Basic ${Buffer.from(user).toString('base64')}`]

describe('the user of a URL', () => {
  it.each([
    ['ws://user:word@example.org/', 'user:word'],
    ['ws://user@example.org/', 'user:'],
    ['ws://:word@example.org/', ':word'],
    ['ws://a%40b:c%3Ad%2Fe%25f@example.org/', 'a@b:c:d/e%f'],
    ['ws://us%C3%A4r:w%C3%B6rd@example.org/', 'usär:wörd'],
    ['ws://usär:wörd@example.org/', 'usär:wörd'],
    [new URL('wss://user:word@example.org/'), 'user:word'],
  ])('%s becomes Basic credentials', (given, user) => {
    const { url, headers } = planOf(given)
    expect(headers).toEqual([basic(user)])
    expect(url.href).not.toContain('@')
    expect([url.username, url.password]).toEqual(['', ''])
  })

  it.each(['ws://50%:x@example.org/', 'ws://%ff:x@example.org/', 'ws://x:%c3%28@example.org/'])(
    '%s cannot be decoded: the message says so, without the words themselves',
    (given) => {
      const fault = faultOf(given)
      expect(fault.code).toBe(R_ERR_BAD_ARGS)
      expect(fault.message).toMatch(/user|credential|password/i)
      expect(fault.message).not.toContain('%')
    },
  )

  // RFC 7617 §2: what follows the first colon is the password, so that a user cannot have one.
  it('a user with a colon in its name is refused', () => {
    expect(faultOf('ws://a%3Ab:c@example.org/').code).toBe(R_ERR_BAD_ARGS)
  })

  it('an Authorization header of the caller wins', () => {
    const { url, headers } = planOf('ws://user:word@example.org/', { headers: { AUTHORIZATION: 'Bearer t' } })
    expect(headers).toEqual([['AUTHORIZATION', 'Bearer t']])
    expect(url.href).toBe('http://example.org/')
  })
})

describe('headers', () => {
  it.each<[string, UrlWebSocketOptions['headers'], [string, string][]]>([
    ['none', undefined, []],
    ['an empty record', {}, []],
    ['an empty string', '', []],
    ['a record', { 'X-A': '1', 'b': '' }, [['X-A', '1'], ['b', '']]], // prettier-ignore
    ['lines with CRLF', 'X-A: 1\r\nB: 2\r\n', [['X-A', '1'], ['B', '2']]], // prettier-ignore
    ['lines with LF', 'X-A: 1\nB: 2', [['X-A', '1'], ['B', '2']]], // prettier-ignore
    ['one line', 'X-A: 1', [['X-A', '1']]],
    ['no space behind the colon', 'X-A:1', [['X-A', '1']]],
    ['space around the value', 'X-A: \t 1 2 \t', [['X-A', '1 2']]],
    ['an empty value', 'X-A:', [['X-A', '']]],
    ['a colon in the value', 'X-A: http://b:80', [['X-A', 'http://b:80']]],
    ['a line that comes twice', 'X-A: 1\r\nX-A: 2', [['X-A', '1'], ['X-A', '2']]], // prettier-ignore
    ['Latin-1 and tabs', { 'X-A': 'a\tä\u00ff' }, [['X-A', 'a\tä\u00ff']]],
    ['each character of a token', { "!#$%&'*+-.^_`|~09azAZ": '1' }, [["!#$%&'*+-.^_`|~09azAZ", '1']]],
    ['Host', { Host: 'other.example' }, [['Host', 'other.example']]],
    ['names that begin like ours', { 'Upgrades': '1', 'Sec-WebSocketX': '2', 'X-Upgrade': '3' }, [['Upgrades', '1'], ['Sec-WebSocketX', '2'], ['X-Upgrade', '3']]], // prettier-ignore
  ])('%s', (_name, headers, expected) => {
    expect(planOf(PLAIN, headers === undefined ? {} : { headers }).headers).toEqual(expected)
  })

  it.each<[string, unknown]>([
    ['a line without a colon', 'X-A 1'],
    ['a line without a name', ': 1'],
    ['a space behind the name', 'X-A : 1'],
    ['a line that goes on (obs-fold)', 'X-A: 1\r\n B: 2'],
    ['CR inside a line', 'X-A: 1\rB: 2'],
    ['NUL in a line', 'X-A: 1\0'],
    ['a line that is fine and one that is not', 'X-A: 1\r\nno'],
    ['CRLF in a value', { 'X-A': '1\r\nB: 2' }],
    ['LF in a value', { 'X-A': '1\nB: 2' }],
    ['CR in a value', { 'X-A': '1\rB: 2' }],
    ['LF at the end of a value', { 'X-A': '1\n' }],
    ['NUL in a value', { 'X-A': 'a\0b' }],
    ['DEL in a value', { 'X-A': 'a\x7fb' }],
    ['ESC in a value', { 'X-A': 'a\x1bb' }],
    ['what has no byte in Latin-1', { 'X-A': 'a€' }],
    ['what would be a line end when cut to bytes', { 'X-A': 'a\u010a\u010db' }],
    ['CRLF in a name', { 'X-A\r\nB': '1' }],
    ['LF at the end of a name', { 'X-A\n': '1' }],
    ['NUL in a name', { 'X\0A': '1' }],
    ['a colon in a name', { 'X-A:': '1' }],
    ['a space in a name', { 'X A': '1' }],
    ['an empty name', { '': '1' }],
    ['a name beyond ASCII', { ä: '1' }],
    ['a value that is a number', { 'X-A': 1 }],
    ['a value that is undefined', { 'X-A': undefined }],
    ['a value that is null', { 'X-A': null }],
    ['a value that is a list', { 'X-A': ['1'] }],
  ])('not %s', (_name, headers) => {
    const fault = faultOf(PLAIN, { headers })
    expect(fault.code).toBe(R_ERR_BAD_ARGS)
    expect(fault.message).toMatch(/header/i)
  })

  it('a value that is refused is not repeated: it may be a secret', () => {
    expect(faultOf(PLAIN, { headers: { Authorization: 'Bearer geheim\n' } }).message).not.toContain('geheim')
    expect(faultOf(PLAIN, { headers: 'Authorization: Bearer geheim\0' }).message).not.toContain('geheim')
  })

  it.each([
    'Upgrade',
    'UPGRADE',
    'connection',
    'Sec-WebSocket-Key',
    'sec-websocket-version',
    'SEC-WEBSOCKET-PROTOCOL',
    'Sec-WebSocket-Extensions',
    'Sec-WebSocket-Accept',
    'Sec-WebSocket-Anything',
    'Content-Length',
    'Transfer-Encoding',
  ])('%s is ours', (name) => {
    for (const headers of [{ [name]: '1' }, `${name}: 1`, `X-A: 1\n${name}: 1`]) {
      const fault = faultOf(PLAIN, { headers })
      expect(fault.code).toBe(R_ERR_BAD_ARGS)
      expect(fault.message).toContain(name)
    }
  })

  it.each<[string, unknown]>([
    ['a list', ['X-A: 1']],
    ['a number', 5],
    ['true', true],
    ['a function', () => 'X-A: 1'],
  ])('what are no headers is refused, not sent or dropped: %s', (_name, headers) => {
    expect(faultOf(PLAIN, { headers }).code).toBe(R_ERR_BAD_ARGS)
  })

  it('two of what there may be one of are refused: Host', () => {
    expect(faultOf(PLAIN, { headers: 'Host: a\r\nHost: b' }).code).toBe(R_ERR_BAD_ARGS)
  })
})

describe('Origin', () => {
  it('is a header', () => {
    expect(planOf(PLAIN, { origin: 'https://example.org' }).headers).toEqual([['Origin', 'https://example.org']])
    expect(planOf(PLAIN).headers).toEqual([])
  })

  it('comes behind the others', () => {
    const { headers } = planOf('ws://user:word@example.org/', { headers: 'X-A: 1', origin: 'null' })
    expect(headers).toEqual([['X-A', '1'], basic('user:word'), ['Origin', 'null']])
  })

  it.each<[string, unknown, unknown]>([
    ['CRLF', 'a\r\nB: c', undefined],
    ['NUL', 'a\0', undefined],
    ['a number', 5, undefined],
    ['null', null, undefined],
    ['twice', 'https://a', { origin: 'https://b' }],
    ['twice, in lines', 'https://a', 'ORIGIN: https://b'],
  ])('not %s', (_name, origin, headers) => {
    const fault = faultOf(PLAIN, { origin, headers })
    expect(fault.code).toBe(R_ERR_BAD_ARGS)
    expect(fault.message).toMatch(/origin/i)
  })
})

describe('sub-protocols', () => {
  it.each<[string, string | readonly string[] | undefined, readonly string[]]>([
    ['none', undefined, []],
    ['one', 'chat', ['chat']],
    ['a list', ['chat', 'v2.chat'], ['chat', 'v2.chat']],
    ['an empty list', [], []],
    ['different in case only', ['chat', 'Chat'], ['chat', 'Chat']],
  ])('%s', (_name, protocols, expected) => {
    expect(planOf(PLAIN, protocols === undefined ? {} : { protocols }).protocols).toEqual(expected)
  })

  it.each<[string, unknown]>([
    ['an empty string', ''],
    ['a list with an empty string', ['']],
    ['duplicates', ['chat', 'x', 'chat']],
    ['a comma', 'chat,x'],
    ['a comma and a space', 'chat, x'],
    ['a space', 'a b'],
    ['CRLF', 'chat\r\nX: y'],
    ['LF at the end', 'chat\n'],
    ['beyond ASCII', 'ä'],
    ['a slash', 'a/b'],
    ['numbers', [1]],
    ['null in a list', ['chat', null]],
    ['a number', 5],
    ['an object', {}],
    ['a set', new Set(['chat'])],
    ['true', true],
  ])('not %s', (_name, protocols) => {
    const fault = faultOf(PLAIN, { protocols })
    expect(fault.code).toBe(R_ERR_BAD_ARGS)
    expect(fault.message).toMatch(/protocol/i)
  })

  it('the list may be changed once the call has returned', () => {
    const protocols = ['chat']
    const plan = planOf(PLAIN, { protocols })
    protocols.push('x')
    expect(plan.protocols).toEqual(['chat'])
  })
})

describe('numbers', () => {
  const names = ['maxFrame', 'maxMessage', 'timeout', 'pingPeriod', 'handshakeTimeout'] as const
  const read = (plan: Plan, name: (typeof names)[number]): number =>
    name === 'handshakeTimeout' ? plan.handshakeTimeout : plan.limits[name]

  it('their defaults', () => {
    const { limits, handshakeTimeout, partial, compression, agent, tls } = planOf(PLAIN)
    expect(limits).toEqual({ maxFrame: 131_072, maxMessage: 1_048_576, timeout: 0, pingPeriod: 0 })
    expect({ handshakeTimeout, partial, compression, agent, tls }).toEqual({
      handshakeTimeout: 10_000,
      partial: false,
      compression: false,
      agent: null,
      tls: {},
    })
  })

  describe.each(names)('%s', (name) => {
    it.each([
      [0, 0],
      [1, 1],
      [65_536, 65_536],
      [Infinity, 0],
    ])('%d', (given, expected) => {
      expect(read(planOf(PLAIN, { [name]: given }), name)).toBe(expected)
    })

    it.each<[string, unknown]>([
      ['negative', -1],
      ['-Infinity', -Infinity],
      ['NaN', Number.NaN],
      ['1.5', 1.5],
      ['2^53', 2 ** 53],
      ['a string', '1000'],
      ['an empty string', ''],
      ['true', true],
      ['a bigint', 1000n],
      ['an object', {}],
    ])('not %s', (_name, given) => {
      const fault = faultOf(PLAIN, { [name]: given })
      expect(fault.code).toBe(R_ERR_BAD_ARGS)
      expect(fault.message).toContain(name)
    })
  })

  // A timer of node that is asked for more waits one millisecond.
  it('handshakeTimeout is no longer than a timer can wait', () => {
    expect(planOf(PLAIN, { handshakeTimeout: 0x7fff_ffff }).handshakeTimeout).toBe(0x7fff_ffff)
    const plan = toPlan(PLAIN, { handshakeTimeout: 0x8000_0000 })
    if (plan instanceof ClientError) expect(plan.code).toBe(R_ERR_BAD_ARGS)
    else expect(plan.handshakeTimeout).toBeLessThanOrEqual(0x7fff_ffff)
  })
})

describe('the rest', () => {
  it('is passed on', () => {
    expect(planOf(PLAIN, { partial: true }).partial).toBe(true)
    expect(planOf(PLAIN, { compression: 'takeover' }).compression).toBe('takeover')
    expect(planOf(PLAIN, { tls: { servername: 'x' } }).tls).toEqual({ servername: 'x' })
  })

  it.each<[string, unknown]>([
    ['a number', 5],
    ['a signal that is none', { signal: {} }],
    ['a signal that is text', { signal: 'abort' }],
    ['a controller in place of its signal', { signal: new AbortController() }],
  ])('options that are none fail without throwing: %s', (_name, options) => {
    expect(faultOf(PLAIN, options).code).toBe(R_ERR_BAD_ARGS)
  })

  it('null from a JavaScript caller means the default', () => {
    const nothing = Object.fromEntries(
      ['headers', 'protocols', 'maxFrame', 'timeout', 'handshakeTimeout', 'tls', 'agent'].map((name) => [name, null]),
    )
    expect(loosely(PLAIN, nothing)).not.toBeInstanceOf(ClientError)
    expect(loosely(PLAIN, nothing)).toEqual(planOf(PLAIN))
  })
})
