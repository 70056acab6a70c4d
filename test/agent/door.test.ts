import { describe, expect, it } from 'vitest'
import type { ChannelConfig, Session } from '../../include-types/agent.ts'
import { admit } from '../../lib/agent/door.ts'
import { IssuedTokens } from '../../lib/agent/tokens.ts'
import { isAnswer } from '../../lib/web/answer.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import type { ChannelSettings } from '../../lib/web/config/channel-settings.ts'
import { type AgentClient, agentOf, AgentServer } from '../support/agent.ts'
import { byEngine } from '../support/differences.ts'
import { type Answered, knock, takeAnswer } from '../support/knock.ts'
import { hush, LogLines } from '../support/log-lines.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { type EngineName, engines } from '../support/server.ts'

type Block = ChannelConfig & Readonly<Record<string, unknown>>

const TOKEN = /^nbwt_[A-Za-z0-9_-]{43}$/
const ANON = /^anon-[0-9a-f]{12}$/
const PLAIN = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'

/** A channel that gives tokens to whoever has the secret, and needs one. */
const ISSUING = {
  path: '/ws',
  tokenIssuePath: '/auth/token',
  tokenIssueSecret: 'hush-hush',
  websocketRequiresToken: true,
} as const
const BEARER = { Authorization: 'Bearer hush-hush' }

/** What was asked for a token, or why there is none. */
function toIssued(body: string): { readonly token: string; readonly expires_in: unknown } {
  const value: unknown = JSON.parse(body)
  if (typeof value !== 'object' || value === null || !('token' in value) || !('expires_in' in value))
    throw new Error(`not a token: ${body}`)
  expect(Object.keys(value)).toEqual(['token', 'expires_in'])
  return { token: String(value.token), expires_in: value.expires_in }
}

async function issue({ port }: AgentServer, headers: Record<string, string> = BEARER): Promise<string> {
  const answered = await knock(port, '/auth/token', { Upgrade: null, Connection: null, ...headers })
  expect(answered.status).toBe(200)
  return toIssued(answered.body).token
}

/** The status that a handshake gets. */
const statusOf = async ({ port }: AgentServer, target: string, headers: Record<string, string | null> = {}) =>
  (await knock(port, target, headers)).status

const NO_UPGRADE = { 'Upgrade': null, 'Connection': null, 'Sec-WebSocket-Key': null, 'Sec-WebSocket-Version': null }

/** Refusals, to the letter. */
function expectRefusal({ status, headers, body }: Answered, code: number, text: string): void {
  expect([status, body]).toEqual([code, text])
  expect(headers.get('content-type')).toBe(PLAIN)
  expect(headers.get('content-length')).toBe(String(text.length))
  expect(headers.get('connection')).toBe('close')
}

/** A channel whose agent tells who asks; and how many were opened. */
async function named(engine: EngineName, channel: Block = {}): Promise<AgentServer> {
  return AgentServer.start(
    engine,
    channel,
    agentOf(({ clientId }: Session) => clientId),
  )
}

/** What a client is called, in its READY and by the agent. */
async function nameOf(server: AgentServer, query: string): Promise<string> {
  const client = server.open(query)
  const { client_id: ready } = await client.next('ready')
  expect(await client.ask('who am I?')).toBe(ready)
  await client.close()
  return String(ready)
}

/** How many of those who knock at once get in. */
async function race(server: AgentServer, targets: readonly string[]): Promise<number[]> {
  const clients = await Promise.all(targets.map(() => RawClient.connect(server.port)))
  for (const [i, client] of clients.entries()) client.send(handshake(targets[i]))
  const statuses = await Promise.all(clients.map(async (client) => (await client.response()).status))
  for (const client of clients) client.destroy()
  return statuses.toSorted((a, b) => a - b)
}

describe.each(engines)('the door of the agent channel on %s', (engine) => {
  const start = (channel: Block = {}): Promise<AgentServer> => AgentServer.start(engine, channel)

  describe('who is on the list', () => {
    it('trap 1: an unlisted client with a valid token gets 403, and the token still works afterwards', async () => {
      const server = await start({ ...ISSUING, allowFrom: ['alice'] })
      const token = await issue(server)
      expectRefusal(await knock(server.port, `/ws?client_id=mallory&token=${token}`), 403, 'Forbidden')
      expectRefusal(await knock(server.port, `/ws?token=${token}`), 403, 'Forbidden')
      expect(await statusOf(server, `/ws?client_id=alice&token=${token}`)).toBe(101)
      expect(await statusOf(server, `/ws?client_id=alice&token=${token}`)).toBe(401)
    })

    it('trap 2: with a list, a client without a name gets 403', async () => {
      const server = await start({ allowFrom: ['alice'] })
      for (const target of ['/', '/?client_id=', '/?client_id', '/?client_id=%20']) {
        expectRefusal(await knock(server.port, target), 403, 'Forbidden')
      }
      expect(await statusOf(server, '/?client_id=alice')).toBe(101)
    })

    it('trap 3: names on the list are exact, without patterns', async () => {
      const pattern = await start({ allowFrom: ['a*'] })
      expect(await statusOf(pattern, '/?client_id=a*')).toBe(101)
      expect(await statusOf(pattern, '/?client_id=abc')).toBe(403)
      expect(await statusOf(pattern, '/?client_id=a')).toBe(403)
      const capital = await start({ allowFrom: ['Alice'] })
      expect(await statusOf(capital, '/?client_id=alice')).toBe(403)
      expect(await statusOf(capital, '/?client_id=Alice')).toBe(101)
    })

    it('trap 4: an empty list is nobody, also with the static token', async () => {
      const server = await start({ allowFrom: [], token: 'tok-tok' })
      for (const target of ['/', '/?token=tok-tok', '/?client_id=alice&token=tok-tok', '/?client_id=*&token=tok-tok']) {
        expectRefusal(await knock(server.port, target), 403, 'Forbidden')
      }
    })

    it('a star anywhere on the list is everybody', async () => {
      const server = await start({ allowFrom: ['alice', '*'] })
      expect(await statusOf(server, '/')).toBe(101)
      expect(await statusOf(server, '/?client_id=bob')).toBe(101)
    })

    it('an unlisted client without a token gets 403, not 401', async () => {
      const server = await start({ allowFrom: ['alice'], token: 'tok-tok' })
      expect(await statusOf(server, '/?client_id=bob')).toBe(403)
      expect(await statusOf(server, '/?client_id=alice')).toBe(401)
    })

    it('is looked for as it is sent: decoded, but not trimmed', async () => {
      const server = await start({ allowFrom: ['al ice', 'zoë', ' bob', '\u{1F419}'] })
      for (const id of ['al+ice', 'al%20ice', 'zo%C3%AB', '%20bob', '+bob', '%F0%9F%90%99']) {
        expect(await statusOf(server, `/?client_id=${id}`)).toBe(101)
      }
      for (const id of ['bob', 'bob%20', 'al%20%20ice', 'al%2Bice']) {
        expect(await statusOf(server, `/?client_id=${id}`)).toBe(403)
      }
    })

    it('is looked for by the first 128 characters of a name', async () => {
      const server = await start({ allowFrom: ['x'.repeat(128)] })
      hush()
      expect(await statusOf(server, `/?client_id=${'x'.repeat(200)}`)).toBe(101)
      expect(await statusOf(server, `/?client_id=${'x'.repeat(127)}`)).toBe(403)
    })
  })

  describe('tokens', () => {
    it('trap 5: a static token is needed also where websocketRequiresToken is false', async () => {
      const server = await start({ token: 'tok-tok', websocketRequiresToken: false })
      expectRefusal(await knock(server.port, '/'), 401, 'Unauthorized')
      expectRefusal(await knock(server.port, '/?token=tok'), 401, 'Unauthorized')
      expect(await statusOf(server, '/?token=tok-tok')).toBe(101)
    })

    it.each([
      ['the default config', {}],
      ["the seed's custom path", { path: '/chat/ws', allowFrom: ['*'] }],
    ])('trap 6: %s lets nobody in', async (_name, block) => {
      const server = await start({ websocketRequiresToken: true, ...block })
      const path = 'path' in block ? block.path : '/'
      for (const query of ['', '?token=', '?token=x', '?client_id=alice&token=nbwt_x']) {
        expectRefusal(await knock(server.port, `${path}${query}`), 401, 'Unauthorized')
      }
    })

    it('trap 7: an issued token works once', async () => {
      const server = await start(ISSUING)
      const token = await issue(server)
      const client = await server.connect(`client_id=alice&token=${token}`, '/ws')
      expectRefusal(await knock(server.port, `/ws?client_id=alice&token=${token}`), 401, 'Unauthorized')
      // Who is in, stays in.
      expect(await client.ask('still here')).toBe('still here')
    })

    it('trap 7: of 100 who come with the same token at once, exactly one gets in', async () => {
      const server = await start(ISSUING)
      const token = await issue(server)
      const statuses = await race(
        server,
        Array.from({ length: 100 }, (_, i) => `/ws?client_id=c${i}&token=${token}`),
      )
      expect(statuses).toEqual([101, ...Array.from({ length: 99 }, () => 401)])
    })

    it('trap 7: of 100 tokens that come twice at once, each lets in one', async () => {
      const server = await start(ISSUING)
      const tokens = await Promise.all(Array.from({ length: 100 }, () => issue(server)))
      expect(new Set(tokens).size).toBe(100)
      const statuses = await race(
        server,
        [...tokens, ...tokens].map((token) => `/ws?token=${token}`),
      )
      expect(statuses.filter((status) => status === 101).length).toBe(100)
      expect(statuses.filter((status) => status === 401).length).toBe(100)
    })

    it('trap 8: where there is a static token, an issued one is still good, and spent', async () => {
      const server = await start({ ...ISSUING, token: 'tok-tok' })
      const token = await issue(server)
      // The static one leaves it alone.
      expect(await statusOf(server, '/ws?token=tok-tok')).toBe(101)
      expect(await statusOf(server, `/ws?token=tok-tok&token=${token}`)).toBe(101)
      expect(await statusOf(server, `/ws?token=${token}`)).toBe(101)
      expect(await statusOf(server, `/ws?token=${token}`)).toBe(401)
      expect(await statusOf(server, '/ws?token=tok-tok')).toBe(101)
    })

    it('trap 9: where none is needed, an issued token is no hindrance, nor is a wrong one', async () => {
      const server = await start({ ...ISSUING, websocketRequiresToken: false })
      const token = await issue(server)
      expect(await statusOf(server, `/ws?token=${token}`)).toBe(101)
      expect(await statusOf(server, '/ws')).toBe(101)
      expect(await statusOf(server, '/ws?token=wrong')).toBe(101)
    })

    it.each([
      ['as it is configured', 'tok', 'tok', 101],
      ['its configured blanks do not count', '  tok\n', 'tok', 101],
      ['the blanks of a client do', 'tok', '%20tok%20', 401],
      ['also where they are configured', ' tok ', '%20tok%20', 401],
      ['in another case', 'tok', 'TOK', 401],
      ['a part of it', 'tok', 'to', 401],
      ['more than it', 'tok', 'tokk', 401],
      ['with + for a blank', 'to k', 'to+k', 101],
      ['not ASCII', 'tøk', 't%C3%B8k', 101],
    ])('the static token: %s', async (_name, token, given, status) => {
      const server = await start({ token })
      expect(await statusOf(server, `/?token=${given}`)).toBe(status)
    })

    it('trap 16: a token that is not ASCII, or of another length, gets 401', async () => {
      const servers = [await start({ token: 'tok-tok' }), await start({ ...ISSUING, path: '/' })]
      for (const server of servers) {
        for (const token of [
          '%C3%A9',
          '%F0%9F%90%99',
          '%FF%FE',
          '%E2%82',
          't',
          'x'.repeat(5000),
          'tok-t%C3%B6k',
          '%00',
        ]) {
          expectRefusal(await knock(server.port, `/?token=${token}`), 401, 'Unauthorized')
        }
      }
    })
  })

  describe('what is no handshake', () => {
    it('trap 10: a plain GET on the path gets 426, and spends nothing', async () => {
      const server = await start(ISSUING)
      const token = await issue(server)
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'DELETE']) {
        const client = await RawClient.connect(server.port)
        client.send(handshake('', { ...NO_UPGRADE, 'Content-Length': '0' }, `${method} /ws?token=${token} HTTP/1.1`))
        const { status, headers, body } = await takeAnswer(client, method !== 'HEAD')
        client.destroy()
        expect([method, status, headers.get('upgrade')]).toEqual([method, 426, 'websocket'])
        expect(headers.get('content-type')).toBe(PLAIN)
        expect(body.length).toBeLessThan(40)
      }
      expect(await statusOf(server, `/ws?token=${token}`)).toBe(101)
    })

    it('trap 10: a path that is not there gets 404 in plain text', async () => {
      const server = await start(ISSUING)
      for (const target of ['/', '/nowhere', '/ws/deeper', '/wss', '/w', '/auth', '/auth/token/x', '/favicon.ico']) {
        expectRefusal(await knock(server.port, target, NO_UPGRADE), 404, 'Not Found')
        expectRefusal(await knock(server.port, target), 404, 'Not Found')
      }
      for (const method of ['POST', 'OPTIONS', 'DELETE', 'PUT']) {
        const first = `${method} /nowhere HTTP/1.1`
        expectRefusal(await knock(server.port, '', { ...NO_UPGRADE, 'Content-Length': '0' }, first), 404, 'Not Found')
      }
    })

    it.each([
      ['another protocol', { Upgrade: 'h2c' }],
      ['no key', { 'Sec-WebSocket-Key': null }],
      ['a key that is too short', { 'Sec-WebSocket-Key': 'AAAA' }],
      ['a key of other characters', { 'Sec-WebSocket-Key': '!'.repeat(22) + '==' }],
      ['another version', { 'Sec-WebSocket-Version': '8' }],
      ['no version', { 'Sec-WebSocket-Version': null }],
      ['no Connection', { Connection: null }],
    ])('%s gets 426, before list and token, and spends nothing', async (_name, changes) => {
      const server = await start({ ...ISSUING, allowFrom: ['alice'] })
      const token = await issue(server)
      for (const id of ['alice', 'mallory']) {
        const { status, headers } = await knock(server.port, `/ws?client_id=${id}&token=${token}`, changes)
        expect([status, headers.get('upgrade')]).toEqual([426, 'websocket'])
      }
      expect(await statusOf(server, `/ws?client_id=alice&token=${token}`)).toBe(101)
    })

    it('a handshake with POST gets 426, and spends nothing', async () => {
      const server = await start(ISSUING)
      const token = await issue(server)
      const first = `POST /ws?token=${token} HTTP/1.1`
      const { status, headers } = await knock(server.port, '', { 'Content-Length': '0' }, first)
      expect([status, headers.get('upgrade')]).toEqual([426, 'websocket'])
      expect(await statusOf(server, `/ws?token=${token}`)).toBe(101)
    })

    it('an unknown path comes before what is wrong with a handshake', async () => {
      const server = await start(ISSUING)
      for (const changes of [{ 'Sec-WebSocket-Version': '8' }, { 'Sec-WebSocket-Key': 'AAAA' }, { Upgrade: 'h2c' }]) {
        expectRefusal(await knock(server.port, '/nowhere', changes), 404, 'Not Found')
      }
    })

    it('the words of a handshake may be in any case, and one of several', async () => {
      const server = await start()
      expect(await statusOf(server, '/', { Upgrade: 'WebSocket', Connection: 'keep-alive, UPGRADE' })).toBe(101)
    })

    it('no protocol is chosen, whatever is offered', async () => {
      const server = await start()
      const { status, headers } = await knock(server.port, '/', { 'Sec-WebSocket-Protocol': 'chat, other' })
      expect([status, headers.has('sec-websocket-protocol')]).toEqual([101, false])
    })
  })

  describe('paths', () => {
    it('trap 17: slashes at the end do not count, capitals and percent signs do', async () => {
      const server = await start({ path: '/ws' })
      for (const path of ['/ws', '/ws/', '/ws//', '/ws///']) {
        expect([path, await statusOf(server, path)]).toEqual([path, 101])
        expect([path, await statusOf(server, `${path}?client_id=a`)]).toEqual([path, 101])
      }
      for (const path of ['/WS', '/%77s', '/ws%2F', '/w%73', '//ws', '/./ws', '/x/../ws', '/ws/.', '/ws;a']) {
        expectRefusal(await knock(server.port, path), 404, 'Not Found')
      }
    })

    it('trap 17: the same with a path that was configured with slashes', async () => {
      const server = await start({ path: '/chat/ws//' })
      for (const path of ['/chat/ws', '/chat/ws/', '/chat/ws//']) expect(await statusOf(server, path)).toBe(101)
      expect(await statusOf(server, '/chat//ws')).toBe(404)
    })

    it('the root is itself', async () => {
      const server = await start()
      expect(await statusOf(server, '/')).toBe(101)
      expect(await statusOf(server, '/?client_id=a')).toBe(101)
      expectRefusal(await knock(server.port, '//'), 404, 'Not Found')
      expectRefusal(await knock(server.port, '/ws'), 404, 'Not Found')
    })

    it.each(['/a:b', '/*', '/x/*', '/:id', '/a.b', '/ws~1', '/a-b_c'])('%s is no pattern', async (path) => {
      const server = await start({ path })
      expect(await statusOf(server, path)).toBe(101)
      expect(await statusOf(server, `${path}/?client_id=a`)).toBe(101)
      expect(await statusOf(server, '/x/y')).toBe(404)
      expect(await statusOf(server, '/z')).toBe(404)
    })

    it('a query begins at the first question mark', async () => {
      const server = await named(engine)
      expect(await nameOf(server, 'client_id=a?b')).toBe('a?b')
      expect(await nameOf(server, '?client_id=b')).toMatch(ANON)
    })

    it('what is behind # does not count', async () => {
      const server = await start({ token: 'tok-tok' })
      expect(await statusOf(server, '/?token=tok-tok#x')).toBe(101)
      expect(await statusOf(server, '/#?token=tok-tok')).toBe(401)
    })
  })

  describe('queries', () => {
    it.each([
      ['client_id=al+ice', 'al ice'],
      ['client_id=al%2Bice', 'al+ice'],
      ['client_id=zo%C3%AB', 'zoë'],
      ['client_id=a%FFb', 'a\uFFFDb'],
      ['client_id=a%zzb', 'a%zzb'],
      ['client_id=a;b=c', 'a;b=c'],
      ['client_id=a%26b', 'a&b'],
      ['client%5Fid=alice', 'alice'],
      ['client_id=&client_id=bob', 'bob'],
      ['client_id&client_id=bob&client_id=carol', 'bob'],
      ['client_id=bob&client_id=', 'bob'],
      ['&&client_id=bob&', 'bob'],
      ['client_id=a=b', 'a=b'],
      ['client_id=%22%5C%0A', '"\\'],
    ])('%s is %s', async (query, name) => {
      expect(await nameOf(await named(engine), query)).toBe(name)
    })

    it('the first token that is not blank counts', async () => {
      const server = await start({ token: 'tok-tok' })
      expect(await statusOf(server, '/?token=&token=tok-tok')).toBe(101)
      expect(await statusOf(server, '/?token&token=tok-tok&token=wrong')).toBe(101)
      expect(await statusOf(server, '/?token=wrong&token=tok-tok')).toBe(401)
      expect(await statusOf(server, '/?token=%20&token=tok-tok')).toBe(401)
      expect(await statusOf(server, '/?Token=tok-tok')).toBe(401)
    })
  })

  describe('client_id', () => {
    it.each(['', 'client_id=', 'client_id', 'client_id=%20', 'client_id=%20%20', 'client_id=+', 'client_id=%09%0A'])(
      "trap 18: '%s' is made up: anon- and 12 digits",
      async (query) => {
        const server = await named(engine)
        const first = await nameOf(server, query)
        expect(first).toMatch(ANON)
        expect(await nameOf(server, query)).not.toBe(first)
      },
    )

    it('is trimmed', async () => {
      expect(await nameOf(await named(engine), 'client_id=%20al%20')).toBe('al')
    })

    it('that is on the list only as it was sent is let in, and not heard', async () => {
      const server = await start({ allowFrom: [' al '] })
      const client = server.open('client_id=%20al%20')
      expect((await client.next('ready')).client_id).toBe('al')
      const log = new LogLines()
      client.send('hello')
      expect(await log.until(/allowFrom/)).not.toContain('hello')
      expect(client.frames.length).toBe(1)
    })

    it('may be that of another: both are there, each with a chat of its own', async () => {
      const server = await start()
      const clients: AgentClient[] = [server.open('client_id=al'), server.open('client_id=al')]
      const ready = await Promise.all(clients.map((client) => client.next('ready')))
      expect(ready.map(({ client_id: id }) => id)).toEqual(['al', 'al'])
      expect(new Set(ready.map(({ chat_id: id }) => id)).size).toBe(2)
      expect(await Promise.all(clients.map((client, i) => client.ask(`I am ${i}`)))).toEqual(['I am 0', 'I am 1'])
    })

    it('that was cut is a line of the log, without its words', async () => {
      const server = await start()
      const log = new LogLines()
      expect(await statusOf(server, `/?client_id=${'x'.repeat(129)}`)).toBe(101)
      expect(await log.until(/128/)).not.toContain('xxx')
    })
  })

  describe('where tokens are issued', () => {
    const ask = (server: AgentServer, headers: Record<string, string> = {}, target = '/auth/token') =>
      knock(server.port, target, { ...NO_UPGRADE, ...headers })

    it('trap 11: an upgrade there gets a token, and no socket', async () => {
      const server = await start(ISSUING)
      const { status, headers, body } = await knock(server.port, '/auth/token', BEARER)
      expect([status, headers.get('content-type'), headers.get('upgrade')]).toEqual([200, JSON_TYPE, undefined])
      expect(await statusOf(server, `/ws?token=${toIssued(body).token}`)).toBe(101)
      expectRefusal(await knock(server.port, '/auth/token'), 401, 'Unauthorized')
      // Nor does it matter what is wrong with it.
      expect(await statusOf(server, '/auth/token', { ...BEARER, 'Sec-WebSocket-Version': '8' })).toBe(200)
    })

    const [bearer, own] = ['Authorization', 'X-Nanobot-Auth']
    it.each([
      ['a bearer', { [bearer]: 'Bearer hush-hush' }, 200],
      ['in any case, with blanks', { [bearer]: 'bEaReR  hush-hush ' }, 200],
      ['X-Nanobot-Auth', { [own]: 'hush-hush' }, 200],
      ['with blanks', { [own]: '  hush-hush  ' }, 200],
      ['names of headers in any case', { aUTHORIZATION: 'Bearer hush-hush' }, 200],
      ['names of headers in any case', { 'x-nanobot-AUTH': 'hush-hush' }, 200],
      ['a wrong bearer beside the right X-Nanobot-Auth', { [bearer]: 'Bearer x', [own]: 'hush-hush' }, 401],
      ['a right bearer beside a wrong X-Nanobot-Auth', { [bearer]: 'Bearer hush-hush', [own]: 'x' }, 200],
      ['Basic beside the right X-Nanobot-Auth', { [bearer]: 'Basic aHVzaA==', [own]: 'hush-hush' }, 200],
      ['Basic beside a wrong X-Nanobot-Auth', { [bearer]: 'Basic aHVzaA==', [own]: 'x' }, 401],
      ['Basic with the secret', { [bearer]: 'Basic hush-hush' }, 401],
      ['the secret alone', { [bearer]: 'hush-hush' }, 401],
      ['a Bearer without a blank', { [bearer]: 'Bearerhush-hush' }, 401],
      ['a part of it', { [bearer]: 'Bearer hush-hus' }, 401],
      ['in another case', { [bearer]: 'Bearer HUSH-HUSH' }, 401],
      ['nothing', {}, 401],
      ['an empty X-Nanobot-Auth', { [own]: '' }, 401],
    ])('trap 12: %s: %j gets %i', async (_name, headers, status) => {
      const server = await start(ISSUING)
      const answered = await ask(server, headers)
      expect(answered.status).toBe(status)
      if (status === 401) expectRefusal(answered, 401, 'Unauthorized')
      expect(answered.headers.get('cache-control')).toBe('no-store')
    })

    it('a secret in the query is none', async () => {
      const server = await start(ISSUING)
      for (const name of ['token', 'secret', 'X-Nanobot-Auth', 'authorization']) {
        expect((await ask(server, {}, `/auth/token?${name}=hush-hush`)).status).toBe(401)
      }
    })

    it('trap 13: other methods issue nothing: 405, and which there is', async () => {
      const server = await start(ISSUING)
      for (const method of ['POST', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']) {
        for (const headers of [BEARER, {}]) {
          const client = await RawClient.connect(server.port)
          const changes = { ...NO_UPGRADE, ...headers, 'Content-Length': '0' }
          client.send(handshake('', changes, `${method} /auth/token HTTP/1.1`))
          const answered = await takeAnswer(client, method !== 'HEAD')
          client.destroy()
          expect([method, answered.status, answered.body]).toEqual([method, 405, ''])
          expect(answered.headers.get('allow')).toBe('GET')
          expect(answered.headers.get('cache-control')).toBe('no-store')
          expect(answered.headers.has('access-control-allow-methods')).toBe(false)
        }
      }
      const withBody = await knock(
        server.port,
        '',
        { ...NO_UPGRADE, ...BEARER, 'Content-Length': '300000' },
        'POST /auth/token HTTP/1.1',
      )
      expect(withBody.body).not.toContain('nbwt_')
      expect(await issue(server)).toMatch(TOKEN)
    })

    it('trap 13: methods that nobody knows do no harm', async () => {
      const server = await start(ISSUING)
      for (const method of ['BREW', 'get', 'TRACE', 'PROPFIND']) {
        const first = `${method} /auth/token HTTP/1.1`
        const answered = await knock(server.port, '', { ...NO_UPGRADE, ...BEARER, 'Content-Length': '0' }, first)
        expect(answered.status).toBeGreaterThanOrEqual(400)
        expect(answered.body).not.toContain('nbwt_')
      }
      expect(await issue(server)).toMatch(TOKEN)
    })

    it.each([30, 300, 86_400])('trap 15: expires_in is %i, and the token has 256 bits', async (tokenTtlS) => {
      const server = await start({ ...ISSUING, tokenTtlS })
      const { status, headers, body } = await ask(server, BEARER)
      expect([status, headers.get('content-type')]).toEqual([200, JSON_TYPE])
      expect(headers.get('content-length')).toBe(String(body.length))
      expect(headers.get('cache-control')).toBe('no-store')
      const { token, expires_in: lifetime } = toIssued(body)
      expect([token, lifetime]).toEqual([expect.stringMatching(TOKEN), tokenTtlS])
      expect(Buffer.from(token.slice(5), 'base64url').length).toBe(32)
      expect(body).toBe(`{"token":"${token}","expires_in":${tokenTtlS}}`)
    })

    it('trap 16: a secret that is not ASCII, or of another length, gets 401', async () => {
      const server = await start(ISSUING)
      for (const secret of ['é', '\u{1F419}', 'hush-hüsh', 'x', 'x'.repeat(2000)]) {
        expectRefusal(await ask(server, { Authorization: `Bearer ${secret}` }), 401, 'Unauthorized')
        expectRefusal(await ask(server, { 'X-Nanobot-Auth': secret }), 401, 'Unauthorized')
      }
    })

    it.each(['hüsh', 'h\u{1F419}sh', 'vous êtes là ?'])('trap 16: %s is good as UTF-8', async (tokenIssueSecret) => {
      const server = await start({ ...ISSUING, tokenIssueSecret })
      expect((await ask(server, { Authorization: `Bearer ${tokenIssueSecret}` })).status).toBe(200)
      expect((await ask(server, { 'X-Nanobot-Auth': tokenIssueSecret })).status).toBe(200)
      expect((await ask(server, { 'X-Nanobot-Auth': `xü${tokenIssueSecret}` })).status).toBe(401)
      expect((await ask(server, { 'X-Nanobot-Auth': tokenIssueSecret.replace(/[^ -~]/u, 'ö') })).status).toBe(401)
    })

    // Its last byte alone would be a blank.
    it('trap 16: also with such a character at its end, as far as engines tell it', async () => {
      const server = await start({ ...ISSUING, tokenIssueSecret: 'voilà' })
      const status = byEngine(engine, 'bytes beyond ASCII in a header', { node: 200, uws: 401 })
      expect((await ask(server, { Authorization: 'Bearer voilà' })).status).toBe(status)
      expect((await ask(server, { 'X-Nanobot-Auth': 'voilà' })).status).toBe(status)
    })

    it('the configured secret is trimmed', async () => {
      const server = await start({ ...ISSUING, tokenIssueSecret: '  hush-hush ' })
      expect((await ask(server, BEARER)).status).toBe(200)
    })

    it('slashes at the end of its path and a query do not count; capitals and percent signs do', async () => {
      const server = await start({ ...ISSUING, tokenIssuePath: ' /auth/token/ ' })
      for (const target of [
        '/auth/token',
        '/auth/token/',
        '/auth/token//',
        '/auth/token?x=1',
        '/auth/token/?token=x',
      ]) {
        expect([target, (await ask(server, BEARER, target)).status]).toEqual([target, 200])
      }
      for (const target of ['/auth/Token', '/auth/%74oken', '/auth//token', '/auth/./token']) {
        expectRefusal(await ask(server, BEARER, target), 404, 'Not Found')
      }
    })

    it('is not there without a tokenIssuePath', async () => {
      const server = await start({ path: '/ws', tokenIssueSecret: 'hush-hush' })
      expectRefusal(await ask(server, BEARER), 404, 'Not Found')
    })

    it('may be below the path of the socket, or at the root', async () => {
      const below = await start({ ...ISSUING, tokenIssuePath: '/ws/token' })
      const root = await start({ ...ISSUING, tokenIssuePath: '/' })
      for (const [server, target] of [
        [below, '/ws/token'],
        [root, '/'],
      ] as const) {
        const { token } = toIssued((await ask(server, BEARER, target)).body)
        expect(await statusOf(server, `/ws?token=${token}`)).toBe(101)
      }
    })

    it('without a secret anybody gets a token, and each time the log says so', async () => {
      const server = await start({ ...ISSUING, tokenIssueSecret: '  ' })
      const log = new LogLines()
      for (const headers of [{}, { Authorization: 'Bearer wrong' }, { 'X-Nanobot-Auth': 'wrong' }]) {
        const { body } = await ask(server, headers)
        const { token } = toIssued(body)
        expect(await log.until(/empty.*anybody|anyone/)).not.toContain(token)
        expect(await statusOf(server, `/ws?token=${token}`)).toBe(101)
      }
    })

    it('pages of other origins have no use for it', async () => {
      const server = await start(ISSUING)
      const { headers } = await ask(server, { ...BEARER, Origin: 'https://elsewhere.example' })
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    })

    it('several on one connection are answered in turn', async () => {
      const server = await start(ISSUING)
      const client = await RawClient.connect(server.port)
      const tokens: string[] = []
      for (let i = 0; i < 3; i++) {
        client.send(handshake('/auth/token', { ...NO_UPGRADE, ...BEARER }))
        tokens.push(toIssued((await takeAnswer(client)).body).token)
      }
      client.destroy()
      expect(new Set(tokens).size).toBe(3)
    })

    it('tokens are good only where they were issued', async () => {
      const [one, other] = [await start(ISSUING), await start(ISSUING)]
      const token = await issue(one)
      expect(await statusOf(other, `/ws?token=${token}`)).toBe(401)
      expect(await statusOf(one, `/ws?token=${token}`)).toBe(101)
    })
  })

  describe('origins', () => {
    it('that are not listed get 403, before a token is spent; none at all is fine', async () => {
      const server = await start({ ...ISSUING, allowedOrigins: ['https://app.example'] })
      const token = await issue(server)
      expect(await statusOf(server, `/ws?token=${token}`, { Origin: 'https://evil.example' })).toBe(403)
      expect(await statusOf(server, `/ws?token=${token}`, { Origin: 'https://app.example' })).toBe(101)
      expect(await statusOf(server, `/ws?token=${await issue(server)}`)).toBe(101)
    })

    it('403 for one has the words of the channel', async () => {
      const server = await start({ allowedOrigins: ['https://app.example'] })
      expectRefusal(await knock(server.port, '/', { Origin: 'https://evil.example' }), 403, 'Forbidden')
    })

    it('any is good where a token is needed and no origin is listed', async () => {
      const server = await start(ISSUING)
      expect(await statusOf(server, `/ws?token=${await issue(server)}`, { Origin: 'https://any.example' })).toBe(101)
    })
  })

  describe('the log', () => {
    it('trap 42: has no token, no secret and no query of those at the door', async () => {
      const server = await start({ ...ISSUING, allowFrom: ['alice'], token: 'tok-tok' })
      const log = new LogLines()
      const token = await issue(server)
      for (const target of [
        `/ws?client_id=alice&token=${token}`,
        '/ws?client_id=alice&token=tok-tok',
        '/ws?client_id=alice&token=qqqqq',
        '/ws?client_id=mallory&token=qqqqq',
        '/nowhere?token=qqqqq',
      ]) {
        await knock(server.port, target)
      }
      const client = await server.connect('client_id=alice&token=tok-tok', '/ws')
      await client.ask('hello')
      await client.close()
      expect(log.lines.join('\n')).not.toMatch(/nbwt_|tok-tok|hush-hush|qqqqq|client_id=/)
    })
  })

  describe('a stop', () => {
    it('trap 38: twice, also at once, does no harm', async () => {
      const server = await start(ISSUING)
      await Promise.all([server.host.stop(), server.host.stop()])
      await server.host.stop()
      expect(server.host.listening).toEqual([])
    })

    it('trap 38: ends clients with 1001', async () => {
      const server = await start()
      const clients = [await server.connect(), await server.connect('client_id=al')]
      const [ends] = await Promise.all([Promise.all(clients.map(({ closed }) => closed)), server.host.stop()])
      expect(ends.map(({ code }) => code)).toEqual([1001, 1001])
    })

    it('trap 38: makes tokens void that were issued before', async () => {
      const server = await start(ISSUING)
      const tokens = [await issue(server), await issue(server)]
      expect(await statusOf(server, `/ws?token=${tokens[0]}`)).toBe(101)
      await server.host.stop()
      expect(await server.host.start()).toBe(0)
      const port = server.host.listening[0]?.port ?? 0
      expect((await knock(port, `/ws?token=${tokens[1]}`)).status).toBe(401)
    })
  })
})

describe('admit', () => {
  const settingsOf = (block: object): ChannelSettings => {
    const { routes } = checkConfig({ channels: { websocket: { enabled: true, ...block } } }, process.cwd())
    const [found] = routes.flatMap((route) => (route.channel === null ? [] : [route.channel.settings]))
    if (found === undefined) throw new Error('there is no channel')
    return found
  }
  const tokensOf = (): IssuedTokens => new IssuedTokens(() => 0)
  /** Who it is, or the status of the answer. */
  const decide = (query: string, settings: ChannelSettings, tokens = tokensOf()): string | number => {
    const verdict = admit(query, settings, tokens)
    return isAnswer(verdict) ? verdict.status : verdict.clientId
  }

  /** The table of token decisions: static token, whether one is needed, what is given, what comes of it, what is spent. */
  it.each([
    ['tok', true, 'tok', 'al', false],
    ['tok', false, 'tok', 'al', false],
    ['tok', true, 'issued', 'al', true],
    ['tok', false, 'issued', 'al', true],
    ['tok', true, 'wrong', 401, false],
    ['tok', false, 'wrong', 401, false],
    ['tok', true, '', 401, false],
    ['tok', false, '', 401, false],
    ['', true, 'issued', 'al', true],
    ['', true, 'wrong', 401, false],
    ['', true, '', 401, false],
    ['', false, 'issued', 'al', true],
    ['', false, 'wrong', 'al', false],
    ['', false, '', 'al', false],
  ] as const)(
    "static '%s', needed %s, given '%s': %s, spent: %s",
    (token, websocketRequiresToken, given, result, spent) => {
      const tokens = tokensOf()
      const issued = tokens.issue(300) ?? ''
      const query = `client_id=al&token=${given === 'issued' ? issued : given}`
      expect(decide(query, settingsOf({ token, websocketRequiresToken }), tokens)).toBe(result)
      expect(tokens.consume(issued)).toBe(!spent)
    },
  )

  it('of 100 with one token, exactly one is let in', () => {
    const tokens = tokensOf()
    const settings = settingsOf({})
    const token = tokens.issue(300)
    const verdicts = Array.from({ length: 100 }, () => decide(`client_id=al&token=${token}`, settings, tokens))
    expect(verdicts.filter((verdict) => verdict === 'al').length).toBe(1)
    expect(verdicts.filter((verdict) => verdict === 401).length).toBe(99)
  })

  it('trap 19: names are cut between code points, before they are trimmed', () => {
    hush()
    const settings = settingsOf({ websocketRequiresToken: false })
    const octopus = '\u{1F419}'
    const of = (name: string): string | number => decide(`client_id=${encodeURIComponent(name)}`, settings)
    expect(of('x'.repeat(200))).toBe('x'.repeat(128))
    expect(of(octopus.repeat(200))).toBe(octopus.repeat(128))
    expect(of(`x${octopus.repeat(200)}`)).toBe(`x${octopus.repeat(127)}`)
    expect(of(`${' '.repeat(100)}${'x'.repeat(100)}`)).toBe('x'.repeat(28))
    expect(of(`${' '.repeat(128)}x`)).toMatch(ANON)
  })

  it('whom it makes up a name for, nobody else has that name', () => {
    const settings = settingsOf({ websocketRequiresToken: false })
    const names = Array.from({ length: 1000 }, () => decide('', settings))
    for (const name of names) expect(name).toMatch(ANON)
    expect(new Set(names).size).toBe(1000)
  })
})
