import { describe, expect, it } from 'vitest'
import { IssuedTokens } from '../../lib/agent/tokens.ts'
import { AgentServer } from '../support/agent.ts'
import { type Answered, knock, takeAnswer } from '../support/knock.ts'
import { LogLines } from '../support/log-lines.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const MOST = 10_000
const TTL = 300
const TOKEN = /^nbwt_[A-Za-z0-9_-]{43}$/

/** Tokens, and the time that they go by. */
function timed() {
  const time = { now: 1000 }
  const tokens = new IssuedTokens(() => time.now)
  const issue = (ttlS = TTL): string => {
    const token = tokens.issue(ttlS)
    if (token === null) throw new Error('too many')
    return token
  }
  const fill = (ttlS = TTL, count = MOST): string[] => Array.from({ length: count }, () => issue(ttlS))
  return { time, tokens, issue, fill }
}

describe('a token', () => {
  it('is 256 random bits, and never the same', () => {
    const { fill } = timed()
    const all = fill(TTL, 1000)
    for (const token of all) expect(token).toMatch(TOKEN)
    expect(new Set(all).size).toBe(1000)
  })

  it('is good once', () => {
    const { tokens, issue } = timed()
    const [token, other] = [issue(), issue()]
    expect([tokens.consume(token), tokens.consume(token), tokens.consume(token)]).toEqual([true, false, false])
    expect(tokens.consume(other)).toBe(true)
  })

  it('of 100 who come at once with the same, exactly one has it', async () => {
    const { tokens, issue } = timed()
    const token = issue()
    const all = await Promise.all(Array.from({ length: 100 }, async () => tokens.consume(token)))
    expect(all.filter(Boolean).length).toBe(1)
  })

  it('is good up to its last millisecond, and not behind it', () => {
    const { time, tokens, issue } = timed()
    const [token, late] = [issue(30), issue(30)]
    time.now += 30_000
    expect(tokens.consume(token)).toBe(true)
    time.now += 1
    expect(tokens.consume(late)).toBe(false)
  })

  it('that has expired is not good again, whatever the clock says', () => {
    const { time, tokens, issue } = timed()
    const token = issue(30)
    time.now += 30_001
    expect(tokens.consume(token)).toBe(false)
    time.now -= 20_000
    expect(tokens.consume(token)).toBe(false)
  })

  it('that nobody has issued is not good, and spends none', () => {
    const { tokens, issue } = timed()
    const token = issue()
    for (const wrong of ['', 'nbwt_', token.slice(0, -1), `${token}=`, ` ${token}`, token.toUpperCase(), '__proto__']) {
      expect(tokens.consume(wrong)).toBe(false)
    }
    expect(tokens.consume(token)).toBe(true)
  })

  it('is void when all are', () => {
    const { tokens, issue } = timed()
    const before = issue()
    tokens.clear()
    expect(tokens.consume(before)).toBe(false)
    expect(tokens.consume(issue())).toBe(true)
  })

  it('has the time to live of when it was issued, also where that was changed', () => {
    const { time, tokens, issue } = timed()
    const [long, short, longer] = [issue(300), issue(30), issue(600)]
    time.now += 30_001
    expect(tokens.consume(short)).toBe(false)
    time.now += 300_000 - 30_001
    expect(tokens.consume(long)).toBe(true)
    time.now += 300_000
    expect(tokens.consume(longer)).toBe(true)
  })
})

describe('the most tokens that are out', () => {
  it('trap 14: are 10,000; one that is used makes room for one', () => {
    const { tokens, fill, issue } = timed()
    const all = fill()
    expect([tokens.issue(TTL), tokens.issue(TTL)]).toEqual([null, null])
    expect(tokens.consume(all[5000] ?? '')).toBe(true)
    issue()
    expect(tokens.issue(TTL)).toBeNull()
    // Who was refused has changed nothing.
    expect(tokens.consume(all[0] ?? '')).toBe(true)
  })

  it('trap 14: those that have expired do not count', () => {
    const { time, tokens, fill } = timed()
    const old = fill(30)
    time.now += 30_000
    expect(tokens.issue(TTL)).toBeNull()
    time.now += 1
    expect(fill(30).length).toBe(MOST)
    expect(tokens.issue(TTL)).toBeNull()
    expect(tokens.consume(old[0] ?? '')).toBe(false)
  })

  it('trap 14: only those that have expired make room', () => {
    const { time, tokens, fill } = timed()
    fill(30, 4000)
    time.now += 20_000
    fill(30, 6000)
    time.now += 10_001
    expect(fill(30, 4000).length).toBe(4000)
    expect(tokens.issue(30)).toBeNull()
  })

  it('those that have expired make room also behind one that lives longer', () => {
    const { time, tokens, fill, issue } = timed()
    issue(600)
    fill(30, MOST - 1)
    time.now += 30_001
    expect(tokens.issue(30)).not.toBeNull()
  })

  it('those that are void do not count', () => {
    const { tokens, fill } = timed()
    fill()
    tokens.clear()
    expect(fill().length).toBe(MOST)
  })
})

describe.each(engines)('the most tokens that are out on %s', (engine) => {
  const ISSUE = { 'Upgrade': null, 'Connection': null, 'Sec-WebSocket-Key': null, 'Sec-WebSocket-Version': null }
  const BEARER = { ...ISSUE, Authorization: 'Bearer hush-hush' }
  const BATCH = 100

  const start = (): Promise<AgentServer> =>
    AgentServer.start(engine, {
      path: '/ws',
      tokenIssuePath: '/auth',
      tokenIssueSecret: 'hush-hush',
      websocketRequiresToken: false,
    })

  /** Asks for so many, one behind the other; a connection is good for 1,000. */
  async function askMany({ port }: AgentServer, count: number): Promise<Answered[]> {
    const all: Answered[] = []
    while (all.length < count) {
      const client = await RawClient.connect(port)
      client.send(Buffer.concat(Array.from({ length: BATCH }, () => handshake('/auth', BEARER))))
      for (let i = 0; i < BATCH; i++) all.push(await takeAnswer(client))
      client.destroy()
    }
    return all
  }

  it('trap 14: 429 needs 10,000; without the secret it is 401 also then; trap 9: who uses one makes room', async () => {
    const server = await start()
    const all = await askMany(server, MOST)
    expect(all.filter(({ status }) => status === 200).length).toBe(MOST)
    const log = new LogLines()
    const { status, headers, body } = await knock(server.port, '/auth', BEARER)
    expect([status, body]).toEqual([429, '{"error":"too many outstanding tokens"}'])
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(headers.get('content-length')).toBe(String(body.length))
    expect(headers.get('cache-control')).toBe('no-store')
    expect(await log.until(/too many/)).not.toMatch(/nbwt_|hush/)

    for (const wrong of [ISSUE, { ...ISSUE, Authorization: 'Bearer wrong' }, { ...ISSUE, 'X-Nanobot-Auth': 'wrong' }]) {
      const refused = await knock(server.port, '/auth', wrong)
      expect([refused.status, refused.body]).toEqual([401, 'Unauthorized'])
    }
    const post = await knock(server.port, '', { ...BEARER, 'Content-Length': '0' }, 'POST /auth HTTP/1.1')
    expect(post.status).toBe(405)

    // Those that are out are as good as before, and spent also where none is needed.
    const token = /nbwt_[\w-]{43}/.exec(all[0]?.body ?? '')?.[0] ?? ''
    const nobody = await knock(server.port, '/ws')
    expect(nobody.status).toBe(101)
    expect((await knock(server.port, '/auth', BEARER)).status).toBe(429)
    expect((await knock(server.port, `/ws?token=${token}`)).status).toBe(101)
    expect((await knock(server.port, '/auth', BEARER)).status).toBe(200)
    expect((await knock(server.port, '/auth', BEARER)).status).toBe(429)
  })
})
