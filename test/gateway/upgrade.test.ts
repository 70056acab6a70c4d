import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hashToken, makeBotToken, makeRefreshToken } from '../../lib/gateway/tokens.ts'
import { WEB_HOOK_END } from '../../lib/web/hooks.ts'
import { field, Gateway, idOf, knock, type Person, temporary } from '../support/gateway.ts'
import { ask } from '../support/http.ts'
import { engines } from '../support/server.ts'

const SECRET = 'a secret of the harbour, which is long enough'
const REFUSED = '{"error":"Unauthorized","code":"UNAUTHORIZED"}'

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function sign(header: object, claims: object, secret = SECRET, hash = 'sha256'): string {
  const content = `${encode(header)}.${encode(claims)}`
  return `${content}.${createHmac(hash, secret).update(content).digest('base64url')}`
}

const partOf = (token: string, at: number): unknown =>
  JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString())

/** The header of good tokens, and claims of one. */
function parts({ id, session, token }: Person) {
  const iat = Math.floor(Date.now() / 1000)
  const header = { alg: 'HS256', typ: 'JWT', kid: String(field(partOf(token, 0), 'kid')) }
  const claims = { sub: id, username: 'ada', token_type: 'access', iat, exp: iat + 60, jti: id, sid: session }
  return { header, claims, iat }
}

afterEach(() => {
  vi.useRealTimers()
})

describe.each(engines)('the way in, on %s', (engine) => {
  it('gateway trap T1: a bad token is answered over HTTP', async () => {
    const gateway = await Gateway.start(engine)
    const { status, head, body } = await knock(gateway, 'token=bad')
    expect([status, body]).toEqual([401, REFUSED])
    expect(head).toMatch(/^content-type: application\/json/im)
    const client = gateway.open('token=bad')
    expect(await client.closed).toEqual({ code: 0, reason: 'Unexpected server response: 401' })
    expect(client.frames).toEqual([])
  })

  it('gateway trap T2: whatever is wrong with a credential, the answer has the same bytes', async () => {
    const gateway = await Gateway.start(engine, { jwtSecret: SECRET })
    const { world } = gateway
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const { header, claims, iat } = parts(ada)
    expect((await knock(gateway, `token=${sign(header, claims)}`)).status).toBe(101)

    const refresh = makeRefreshToken()
    await world.changes.run(() => world.sessions.begin(ada.id, hashToken(refresh), 3_600_000))
    const revoked = await gateway.login(ada.id)
    await world.changes.run(() => world.sessions.end(revoked.session, ada.id, 'logout'))
    const gone = await gateway.person('gone')
    await world.changes.run(() => world.users.disable(gone.id))
    const bot = await gateway.bot(brin, 'Buoy')
    const bye = await gateway.bot(brin, 'Bye')
    const { body } = await gateway.request('POST', '/bots/connect', `Bot ${bot.token}`, {})
    const { body: byeBody } = await gateway.request('POST', '/bots/connect', `Bot ${bye.token}`, {})
    const [botJwt, byeJwt] = [String(field(body, 'access_token')), String(field(byeBody, 'access_token'))]
    expect((await knock(gateway, `token=${botJwt}`)).status).toBe(101)
    expect((await knock(gateway, `token=${byeJwt}`)).status).toBe(101)
    await gateway.request('POST', `/bots/${bot.id}/token/regenerate`, brin, {})
    const off = await gateway.bot(brin, 'Off')
    const { body: offBody } = await gateway.request('POST', '/bots/connect', `Bot ${off.token}`, {})
    await world.changes.run(() => world.users.disable(off.userId))
    await gateway.request('DELETE', `/bots/${bye.id}`, brin)

    const { sid, ...sessionless } = claims
    const unsigned = `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`
    const bad: Record<string, string> = {
      'neither': '',
      'another parameter': 'tokens=x',
      'an empty token': 'token=',
      'an empty token, and a good bot token': `token=&bot_token=${makeBotToken()}`,
      'an empty bot token': 'bot_token=',
      'nonsense': 'token=nonsense',
      'dots': 'token=..',
      'a refresh token': `token=${refresh}`,
      'a refresh token as a bot token': `bot_token=${refresh}`,
      'a token of type refresh': `token=${sign(header, { ...claims, token_type: 'refresh' })}`,
      'a token without a type': `token=${sign(header, { ...claims, token_type: undefined })}`,
      'expired by a second': `token=${sign(header, { ...claims, iat: iat - 61, exp: iat - 1 })}`,
      'expired now': `token=${sign(header, { ...claims, exp: iat })}`,
      'without an end': `token=${sign(header, { ...claims, exp: undefined })}`,
      'with an end that is text': `token=${sign(header, { ...claims, exp: '9999999999' })}`,
      'alg none': `token=${unsigned}`,
      'alg none, with a signature': `token=${sign({ ...header, alg: 'none' }, claims)}`,
      'alg None': `token=${sign({ ...header, alg: 'None' }, claims)}`,
      'HS512': `token=${sign({ ...header, alg: 'HS512' }, claims, SECRET, 'sha512')}`,
      'HS384': `token=${sign({ ...header, alg: 'HS384' }, claims, SECRET, 'sha384')}`,
      'without kid': `token=${sign({ alg: 'HS256', typ: 'JWT' }, claims)}`,
      'an unknown kid': `token=${sign({ ...header, kid: '0123456789abcdef' }, claims)}`,
      'a kid that all objects have': `token=${sign({ ...header, kid: 'constructor' }, claims)}`,
      'another key': `token=${sign(header, claims, `${SECRET}!`)}`,
      'no signature': `token=${sign(header, claims).replace(/[^.]*$/, '')}`,
      'a changed signature': `token=${sign(header, claims).replace(/..$/, (end) => (end === 'AA' ? 'BB' : 'AA'))}`,
      'a token cut short': `token=${ada.token.slice(0, -1)}`,
      'a long token': `token=${'x'.repeat(4000)}`,
      'a long bot token': `bot_token=${'0'.repeat(4000)}`,
      'nobody': `token=${sign(header, { ...claims, sub: bot.id })}`,
      "somebody else's session": `token=${sign(header, { ...claims, sid: brin.session })}`,
      'no session': `token=${sign(header, sessionless)}`,
      'a session that is no text': `token=${sign(header, { ...sessionless, sid: 5 })}`,
      'a bot that is none': `token=${sign(header, { ...sessionless, bot: true, bid: sid, tg: 1 })}`,
      'a revoked session': `token=${revoked.token}`,
      'a disabled user': `token=${gone.token}`,
      'a bot JWT after a regenerate': `token=${botJwt}`,
      'a bot token after a regenerate': `bot_token=${bot.token}`,
      'a bot JWT of a disabled bot': `token=${String(field(offBody, 'access_token'))}`,
      'a token of a disabled bot': `bot_token=${off.token}`,
      'a bot JWT of a revoked bot': `token=${byeJwt}`,
      'a revoked bot token': `bot_token=${bye.token}`,
      'an unknown bot token': `bot_token=${makeBotToken()}`,
      'an access token as a bot token': `bot_token=${ada.token}`,
      'a good token twice': `token=${ada.token}&token=${ada.token}`,
      'a bot token twice': `bot_token=${bye.token}&bot_token=${bye.token}`,
      'an escape that is none': 'token=%ff%',
    }
    const expected = await knock(gateway, 'token=bad')
    for (const [name, query] of Object.entries(bad)) {
      expect({ name, ...(await knock(gateway, query)) }).toEqual({ name, ...expected })
    }
    expect(expected.body).toBe(REFUSED)
  })

  it('gateway trap T3: a bad token is refused, whatever the bot token', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { token } = await gateway.bot(ada, 'Buoy')
    expect((await knock(gateway, `bot_token=${token}`)).status).toBe(101)
    expect((await knock(gateway, `token=bad&bot_token=${token}`)).status).toBe(401)
    expect((await knock(gateway, `bot_token=${token}&token=bad`)).status).toBe(401)
    expect((await knock(gateway, `token=&bot_token=${token}`)).status).toBe(401)
    expect((await knock(gateway, `token=${ada.token}&bot_token=bad`)).status).toBe(101)
    expect((await knock(gateway, `token=${ada.token}&bot_token=a&bot_token=b`)).status).toBe(401)
  })

  it('ignores other parameters, and the Authorization header', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    expect((await knock(gateway, `v=1&token=${ada.token}&v=2&compress=zlib`)).status).toBe(101)
    expect((await knock(gateway, `token=${ada.token}`, { Authorization: 'Bearer bad' })).status).toBe(101)
    expect((await knock(gateway, '', { Authorization: `Bearer ${ada.token}` })).status).toBe(401)
    expect((await knock(gateway, 'token=bad', { Authorization: `Bearer ${ada.token}` })).status).toBe(401)
  })

  it('negotiates neither a protocol nor an extension', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const { status, head } = await knock(gateway, `token=${ada.token}`, {
      'Sec-WebSocket-Protocol': 'chat, together.v1',
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
    })
    expect(status).toBe(101)
    expect(head).not.toMatch(/sec-websocket-(protocol|extensions)/i)
  })

  it('tells who does not upgrade to do so, whatever their credential', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const replies = await Promise.all(
      ['/ws', '/ws?token=bad', `/ws?token=${ada.token}`].map((path) => ask(gateway.port, path)),
    )
    for (const { status, headers, body } of replies) {
      expect([status, headers['upgrade'], headers['sec-websocket-version']]).toEqual([426, 'websocket', '13'])
      expect(body.toString()).toBe(replies[0]?.body.toString())
    }
    // A browser's fetch has the key of nobody.
    expect((await knock(gateway, 'token=bad', { 'Sec-WebSocket-Version': '12' })).status).toBe(426)
  })

  it('lets pages in from origins that are listed', async () => {
    const gateway = await Gateway.start(engine, { origins: ['https://together.test'] })
    const ada = await gateway.person('ada')
    const query = `token=${ada.token}`
    expect((await knock(gateway, query, { Origin: 'https://together.test' })).status).toBe(101)
    expect((await knock(gateway, query)).status).toBe(101)
    expect((await knock(gateway, query, { Origin: 'https://other.test' })).status).toBe(403)
    expect((await knock(gateway, query, { Origin: 'null' })).status).toBe(403)
    expect((await knock(gateway, query, { Origin: 'https://together.test.evil' })).status).toBe(403)
    // Before the credential is looked at.
    const refused = await knock(gateway, 'token=bad', { Origin: 'https://other.test' })
    expect(refused).toEqual(await knock(gateway, query, { Origin: 'https://other.test' }))
    expect(field(JSON.parse(refused.body), 'code')).toBe('FORBIDDEN')
  })

  it('lets pages in from any origin where none is listed, for they need a token', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    expect((await knock(gateway, `token=${ada.token}`, { Origin: 'https://other.test' })).status).toBe(101)
    expect((await knock(gateway, 'token=bad', { Origin: 'https://other.test' })).status).toBe(401)
  })

  it('lets go of the token: what hears of the connection later sees the path alone', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const urls: string[] = []
    gateway.host.hook = (web, event) => (event === WEB_HOOK_END ? urls.push(web.url) : 0)
    const client = await gateway.connect(`token=${ada.token}`)
    await gateway.host.stop()
    await client.closed
    expect(urls).toEqual(['/ws'])
  })

  it('ends a token when it says, to the second', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 })
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const query = `token=${ada.token}`
    vi.setSystemTime(1_800_000_899_999)
    expect((await knock(gateway, query)).status).toBe(101)
    vi.setSystemTime(1_800_000_900_000)
    expect((await knock(gateway, query)).status).toBe(401)
    expect((await gateway.request('GET', '/users/@me', ada)).status).toBe(401)
  })

  it('takes tokens of the key before for as long as they last, and then no more', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 })
    const folder = temporary()
    const before = await Gateway.start(engine, { jwtSecret: SECRET }, folder)
    const ada = await before.person('ada')
    await before.host.stop()
    vi.setSystemTime(1_800_000_100_000)
    const after = await Gateway.start(engine, { jwtSecret: `another ${SECRET}` }, folder)
    expect((await knock(after, `token=${ada.token}`)).status).toBe(101)
    const { header, claims } = parts(ada)
    const late = sign(header, { ...claims, exp: 1_800_009_000 })
    expect((await knock(after, `token=${late}`)).status).toBe(101)
    vi.setSystemTime(1_800_001_000_001)
    expect((await knock(after, `token=${late}`)).status).toBe(401)
    const next = await after.login(ada.id)
    expect((await knock(after, `token=${next.token}`)).status).toBe(101)
  })

  it('knows a bot by its own token, and by the one that it exchanges that for', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const bot = await gateway.bot(ada, 'Buoy')
    const { status, body } = await gateway.request('POST', '/bots/connect', `Bot ${bot.token}`)
    expect([status, field(body, 'expires_in')]).toEqual([200, 900])
    const clients = [
      await gateway.connect(`bot_token=${bot.token}`),
      await gateway.connect(`token=${String(field(body, 'access_token'))}`),
    ]
    for (const client of clients) expect(idOf(field(client.frames[0]?.d, 'user'))).toBe(bot.userId)
  })
})
