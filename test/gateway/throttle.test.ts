import { afterEach, describe, expect, it, vi } from 'vitest'
import { Throttle } from '../../lib/gateway/throttle.ts'
import { expectError, Gateway, type Reply } from '../support/gateway.ts'
import { engines } from '../support/server.ts'

const START = 1_800_000_000_000
const MINUTE = 60_000
const [HERE, THERE] = ['192.0.2.1', '192.0.2.2']

describe('the throttle of logins', () => {
  function setUp() {
    const clock = { ms: START }
    const throttle = new Throttle(() => clock.ms)
    const fail = (count: number, name = 'ada', address = HERE): void => {
      for (let i = 0; i < count; i++) throttle.fail(name, address)
    }
    return { clock, throttle, fail }
  }

  it('has a name wait from the sixth failure on, each time twice as long, five minutes at most', () => {
    const { clock, throttle, fail } = setUp()
    const waits = Array.from({ length: 16 }, (_, i) => {
      // Each from elsewhere.
      fail(1, 'ada', `192.0.2.${i}`)
      clock.ms += 1
      return throttle.wait('ada', THERE)
    })
    expect(waits).toEqual([0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
  })

  it('counts the wait from the last failure, in whole seconds', () => {
    const { clock, throttle, fail } = setUp()
    fail(7)
    for (const [at, seconds] of [
      [0, 4],
      [1, 4],
      [1000, 3],
      [3001, 1],
      [3999, 1],
      [4000, 0],
      [4001, 0],
    ] as const) {
      clock.ms = START + at
      expect([at, throttle.wait('ada', THERE)]).toEqual([at, seconds])
    }
    fail(1)
    expect(throttle.wait('ada', THERE)).toBe(8)
  })

  it('forgets what is fifteen minutes old', () => {
    const { clock, throttle, fail } = setUp()
    fail(1)
    clock.ms += MINUTE
    fail(4)
    clock.ms = START + 15 * MINUTE - 1
    fail(1)
    expect(throttle.wait('ada', THERE)).toBe(2)
    // Of the six, one is no longer one.
    clock.ms = START + 15 * MINUTE
    expect(throttle.wait('ada', THERE)).toBe(0)
    fail(1)
    expect(throttle.wait('ada', THERE)).toBe(2)
  })

  it('knows a name in any case, and no other by it', () => {
    const { throttle, fail } = setUp()
    for (const name of ['ada', 'Ada', 'ADA', 'aDA', 'adA', 'ada']) fail(1, name)
    expect([throttle.wait('AdA', THERE), throttle.wait('ada_', THERE), throttle.wait('ad', THERE)]).toEqual([2, 0, 0])
  })

  it('has an address wait from the twentieth failure on, until the first of them is forgotten', () => {
    const { clock, throttle, fail } = setUp()
    const others = Array.from({ length: 20 }, (_, i) => `x${i}`)
    for (const [i, name] of others.entries()) {
      expect(throttle.wait('ada', HERE)).toBe(0)
      clock.ms = START + i * 1000
      fail(1, name)
    }
    expect([throttle.wait('ada', HERE), throttle.wait('ada', THERE)]).toEqual([15 * 60 - 19, 0])
    clock.ms = START + 15 * MINUTE - 1
    expect(throttle.wait('ada', HERE)).toBe(1)
    clock.ms = START + 15 * MINUTE
    expect(throttle.wait('ada', HERE)).toBe(0)
    // One more, and the next of them is the first.
    fail(1, 'x')
    expect(throttle.wait('ada', HERE)).toBe(1)
  })

  it('takes a success for the name’s, not for the address’s', () => {
    const { throttle, fail } = setUp()
    fail(5)
    fail(1)
    throttle.succeed('Ada', HERE)
    expect(throttle.wait('ada', THERE)).toBe(0)
    fail(5, 'ada', THERE)
    expect(throttle.wait('ada', '192.0.2.3')).toBe(0)
    // Five of twenty are there: what went well is none.
    for (let i = 0; i < 14; i++) fail(1, `x${i}`)
    expect(throttle.wait('brin', HERE)).toBe(0)
    fail(1, 'x14')
    expect(throttle.wait('brin', HERE)).toBeGreaterThan(0)
  })

  it('does not take a name for an address', () => {
    const { throttle, fail } = setUp()
    fail(6, HERE, THERE)
    expect([throttle.wait('ada', HERE), throttle.wait(HERE, '192.0.2.3')]).toEqual([0, 2])
    fail(20, 'ada', HERE)
    expect(throttle.wait(`address ${HERE}`, '192.0.2.3')).toBe(0)
  })

  it('remembers so many, however many are tried', () => {
    const { throttle, fail } = setUp()
    const others = (from: number, to: number): void => {
      for (let i = from; i < to; i++) fail(1, `x${i}`)
    }
    fail(6, 'ada', THERE)
    others(0, 3000)
    fail(6, 'brin', THERE)
    others(3000, 101_000)
    // Those of long ago go first.
    expect([throttle.wait('ada', '192.0.2.3'), throttle.wait('brin', '192.0.2.3')]).toEqual([0, 2])
  })
})

const PASSWORD = 'a passphrase of the harbour'

afterEach(() => {
  vi.useRealTimers()
})

/** Ada and brin have registered; the time stands still. What comes through the proxy is from elsewhere. */
async function harbour(engine: (typeof engines)[number]) {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const gateway = await Gateway.start(engine, {}, undefined, { trustedProxies: ['127.0.0.1'] })
  const from = (address: string) => ({ 'X-Forwarded-For': address })
  const login = (username: string, password: unknown, address = HERE): Promise<Reply> =>
    gateway.request('POST', '/auth/login', null, { username, password }, from(address))
  const token = async (username: string): Promise<string> => {
    const reply = await gateway.request('POST', '/auth/register', null, { username, password: PASSWORD }, from(THERE))
    const access = /"access_token":"([^"]+)"/.exec(reply.text)?.[1]
    if (access === undefined) throw new Error(reply.text)
    return access
  }
  const [ada, brin] = [{ token: await token('ada') }, { token: await token('brin') }]
  const change = (current_password: string, address = HERE): Promise<Reply> =>
    gateway.request('POST', '/auth/password', ada, { current_password, new_password: PASSWORD }, from(address))
  const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms)
  return { gateway, ada, brin, login, change, later }
}

const statuses = (replies: readonly Reply[]): number[] => replies.map(({ status }) => status)
const retryOf = ({ status, headers }: Reply) => [status, headers['retry-after']]
const bytesOf = ({ status, headers, text }: Reply): unknown => [status, { ...headers, date: undefined }, text]

/** One after the other. */
async function times(count: number, ask: () => Promise<Reply>): Promise<Reply[]> {
  const replies: Reply[] = []
  for (let i = 0; i < count; i++) replies.push(await ask())
  return replies
}

describe.each(engines)('who guesses passwords, on %s', (engine) => {
  it('waits from the sixth failure on, and is told how long', async () => {
    const { login, later } = await harbour(engine)
    const wrong = () => login('ada', 'wrong')
    const replies = await times(8, wrong)
    expect(statuses(replies)).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
    for (const reply of replies.slice(0, 5)) expectError(reply, 401, 'UNAUTHORIZED')
    for (const reply of replies.slice(5)) {
      expectError(reply, 429, 'RATE_LIMITED')
      expect(reply.headers['retry-after']).toBe('2')
    }
    // What was not looked at is no failure: the next is the seventh.
    later(1500)
    expect(retryOf(await wrong())).toEqual([429, '1'])
    later(500)
    expect(retryOf(await wrong())).toEqual([429, '4'])
    later(4000)
    expect(retryOf(await wrong())).toEqual([429, '8'])
  })

  it('is told the same of names that exist and of those that do not, byte for byte', async () => {
    const { gateway, login, later } = await harbour(engine)
    const bot = await gateway.bot(await gateway.person('cleo'), 'helper')
    const names = ['ada', 'nobody', gateway.world.users.find(bot.userId)?.username ?? '']
    const all: unknown[][] = []
    for (const [i, name] of names.entries()) {
      const ask = () => login(name, 'wrong', `192.0.2.${10 + i}`)
      const replies = await times(7, ask)
      all.push(replies.map(bytesOf))
    }
    later(2000)
    for (const [i, name] of names.entries()) all[i]?.push(bytesOf(await login(name, 'wrong', `192.0.2.${10 + i}`)))
    expect(all[0]).toHaveLength(8)
    expect(all[1]).toEqual(all[0])
    expect(all[2]).toEqual(all[0])
  })

  it('waits also with the right password; then it lets in, and the name begins anew', async () => {
    const { login, later } = await harbour(engine)
    await times(6, () => login('ada', 'wrong'))
    expect(retryOf(await login('ada', PASSWORD))).toEqual([429, '2'])
    expect(retryOf(await login('ADA', PASSWORD, THERE))).toEqual([429, '2'])
    // Others go in, from there, too.
    expect((await login('brin', PASSWORD)).status).toBe(200)
    later(2000)
    expect((await login('Ada', PASSWORD)).status).toBe(200)
    expect(statuses(await times(6, () => login('ada', 'wrong')))).toEqual([401, 401, 401, 401, 401, 429])
  })

  it('is not who fails five times and then knows it', async () => {
    const { login } = await harbour(engine)
    for (let i = 0; i < 3; i++) {
      const replies = [...(await times(5, () => login('ada', 'wrong'))), await login('ada', PASSWORD)]
      expect(statuses(replies)).toEqual([401, 401, 401, 401, 401, 200])
    }
  })

  it('waits from the twentieth failure on, whoever they say they are; a success does not help', async () => {
    const { login, later } = await harbour(engine)
    for (let i = 0; i < 19; i++) {
      expect((await login(`x${i}`, 'wrong')).status).toBe(401)
      expect((await login('ada', PASSWORD)).status).toBe(200)
      later(1000)
    }
    expect(retryOf(await login('x19', 'wrong'))).toEqual([429, '881'])
    expect(retryOf(await login('ada', PASSWORD))).toEqual([429, '881'])
    expect((await login('ada', PASSWORD, THERE)).status).toBe(200)
    later(880_000)
    expect(retryOf(await login('ada', PASSWORD))).toEqual([429, '1'])
    later(1000)
    expect((await login('ada', PASSWORD)).status).toBe(200)
  })

  it('finds no way around by asking many times at once', async () => {
    const { login } = await harbour(engine)
    const replies = await Promise.all(Array.from({ length: 15 }, (_, i) => login('ada', 'wrong', `192.0.2.${i}`)))
    expect(statuses(replies).filter((status) => status === 401).length).toBeLessThanOrEqual(5)
    expect(statuses(replies).filter((status) => status !== 401 && status !== 429)).toEqual([])
    // Six passwords were looked at, not more.
    expectError(await login('ada', PASSWORD, THERE), 429, 'RATE_LIMITED')
    expect(Number((await login('ada', PASSWORD, THERE)).headers['retry-after'])).toBe(2)
    // Nor by a whole network of their own.
    let next = 0
    const some = await times(20, () => login(`x${next++}`, 'wrong', `2001:db8::${next}`))
    expect(statuses(some).slice(18)).toEqual([401, 429])
    expect((await login('brin', PASSWORD, '2001:db8::ffff:1')).status).toBe(429)
    expect((await login('brin', PASSWORD, '2001:db8:0:1::1')).status).toBe(200)
  })

  it('waits with the password of who is logged in, too', async () => {
    const { ada, gateway, change, login, later } = await harbour(engine)
    const replies = await times(7, () => change('wrong'))
    expect(statuses(replies)).toEqual([403, 403, 403, 403, 403, 429, 429])
    expectError(replies[0]!, 403, 'FORBIDDEN')
    expectError(replies[6]!, 429, 'RATE_LIMITED')
    expect(retryOf(await change(PASSWORD))).toEqual([429, '2'])
    expect(retryOf(await login('ada', PASSWORD, THERE))).toEqual([429, '2'])
    // Nothing else of theirs is less than it was.
    expect((await gateway.request('GET', '/users/@me', ada)).status).toBe(200)
    later(2000)
    expect((await change(PASSWORD)).status).toBe(204)
    expect(statuses(await times(5, () => change('wrong')))).toEqual([403, 403, 403, 403, 403])
    expect((await login('ada', PASSWORD)).status).toBe(200)
  })

  it('does not wait for what is no attempt', async () => {
    const { gateway, login } = await harbour(engine)
    for (const password of [undefined, '', 5, null, 'x'.repeat(129)]) {
      for (let i = 0; i < 5; i++) expectError(await login('ada', password), 400, 'VALIDATION')
    }
    for (const username of ['', 'x'.repeat(65)]) expectError(await login(username, 'wrong'), 400, 'VALIDATION')
    await times(25, () => gateway.request('POST', '/auth/refresh', null, { refresh_token: 'rt_x' }))
    expect((await login('ada', PASSWORD)).status).toBe(200)
  })

  it('of an account that is disabled: it is told so with the right password only', async () => {
    const { gateway, login } = await harbour(engine)
    const { world } = gateway
    const brin = world.users.findByName('brin')
    await world.changes.run(() => world.users.disable(brin?.id ?? ''))
    expect(statuses(await times(4, () => login('brin', 'wrong')))).toEqual([401, 401, 401, 401])
    for (let i = 0; i < 8; i++) expectError(await login('brin', PASSWORD), 403, 'ACCOUNT_DISABLED')
    expect(statuses(await times(6, () => login('brin', 'wrong')))).toEqual([401, 401, 401, 401, 401, 429])
  })
})
