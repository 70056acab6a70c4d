import { describe, expect, it, vi } from 'vitest'
import { codeOf, START, Town } from '../support/world.ts'

const create = (town: Town, hash = 'h1', name = 'Harbour Master') =>
  town.do(({ bots }) => bots.create(town.ada, name, 'rings the bell', hash))

describe('a bot', () => {
  it('is an account that a program uses', () => {
    const town = new Town()
    const bot = create(town)
    expect(bot).toMatchObject({
      name: 'Harbour Master',
      description: 'rings the bell',
      created_by: town.ada,
      revoked_at: null,
      token_gen: 1,
      created_at: new Date(START).toISOString(),
    })
    const user = town.world.users.find(bot.user_id)
    expect(user).toMatchObject({ is_bot: 1, is_admin: 0, email: null, num: 10_004 })
    expect(user?.username).toMatch(/^harbour-master-bot-[\da-f]{8}$/)
    expect(town.world.users.credentialOf(user?.username ?? '')?.password_hash).toBeNull()
  })

  it('joins servers and writes as people do', () => {
    const town = new Town()
    const { user_id } = create(town)
    town.join(user_id, town.place)
    expect(town.post(user_id, town.pier).author_id).toBe(user_id)
  })

  it.each([
    ['  --Ä ö-- ', 'a'],
    ['漢字', 'a'],
    ['R2 D2!', 'r2-d2'],
    ['x'.repeat(64), 'x'.repeat(32)],
  ])('named %s has a user name of letters', (name, slug) => {
    const town = new Town()
    const bot = create(town, 'h1', name)
    expect(bot.name).toBe(name)
    expect(town.world.users.find(bot.user_id)?.username).toMatch(new RegExp(`^${slug}-bot-[\\da-f]{8}$`))
  })

  it('of the same name are several', () => {
    const town = new Town()
    const names = Array.from({ length: 5 }, (_, i) => create(town, `h${i}`)).map(
      ({ user_id }) => town.world.users.find(user_id)?.username,
    )
    expect(new Set(names).size).toBe(5)
  })

  // Was wrong: with 10,000 of the same name, one in a hundred times it was refused as taken.
  it('whose user name is taken gets another one', () => {
    const town = new Town()
    const { users } = town.world
    const first = users.find(create(town).user_id)
    const asked = vi.spyOn(users, 'findByName').mockReturnValueOnce(first)
    const second = users.find(create(town, 'h2').user_id)
    const [[taken] = [], [free] = []] = asked.mock.calls
    expect(second?.username).toMatch(/^harbour-master-bot-[\da-f]{8}$/)
    expect(second?.username).toBe(free)
    expect(free).not.toBe(taken)
  })

  it('is found by the hash of its token, and for its creator', () => {
    const town = new Town()
    const { bots } = town.world
    const { id } = create(town)
    expect(bots.findByToken('h1')?.id).toBe(id)
    expect(bots.findByToken('h2')).toBeNull()
    expect(bots.get(town.ada, id).id).toBe(id)
    expect(codeOf(() => bots.get(town.bob, id))).toBe('NOT_FOUND')
    expect(codeOf(() => bots.get(town.ada, 'no'))).toBe('NOT_FOUND')
    const second = create(town, 'h2')
    expect(bots.madeBy(town.ada).map((bot) => bot.id)).toEqual([id, second.id])
    expect(bots.madeBy(town.bob)).toEqual([])
  })

  it('is changed by its creator; what is left out stays', () => {
    const town = new Town()
    const { bots } = town.world
    const { id } = create(town)
    expect(town.do(() => bots.change(town.ada, id, { name: 'Bell' }))).toMatchObject({
      name: 'Bell',
      description: 'rings the bell',
    })
    expect(town.do(() => bots.change(town.ada, id, { description: null }))).toMatchObject({
      name: 'Bell',
      description: null,
    })
    expect(codeOf(() => town.do(() => bots.change(town.bob, id, { name: 'x' })))).toBe('NOT_FOUND')
    expect(codeOf(() => town.do(() => bots.setToken(town.bob, id, 'h9')))).toBe('NOT_FOUND')
    expect(codeOf(() => town.do(() => bots.revoke(town.bob, id)))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
  })

  it('another token takes the place of the one there is', () => {
    const town = new Town()
    const { bots } = town.world
    const { id, user_id } = create(town)
    expect(town.do(() => bots.setToken(town.ada, id, 'h2')).token_gen).toBe(2)
    expect([bots.findByToken('h1'), bots.findByToken('h2')?.id]).toEqual([null, id])
    expect(town.told()).toEqual([{ type: 'bot.ended', botId: id, userId: user_id }])
  })

  it('is revoked for good', () => {
    const town = new Town()
    const { bots } = town.world
    const { id, user_id } = create(town)
    expect(bots.findLive(id)?.id).toBe(id)
    town.do(() => bots.revoke(town.ada, id))
    expect(town.told()).toEqual([{ type: 'bot.ended', botId: id, userId: user_id }])
    expect(bots.findLive(id)).toBeNull()
    expect(bots.findLive('no')).toBeNull()
    expect(bots.findByToken('h1')).toBeNull()
    expect(bots.get(town.ada, id)).toMatchObject({ revoked_at: new Date(START).toISOString(), token_gen: 2 })
    expect(bots.madeBy(town.ada)).toHaveLength(1)
    expect(codeOf(() => town.do(() => bots.revoke(town.ada, id)))).toBe('NOT_FOUND')
    expect(codeOf(() => town.do(() => bots.change(town.ada, id, { name: 'x' })))).toBe('INVALID')
    expect(codeOf(() => town.do(() => bots.setToken(town.ada, id, 'h2')))).toBe('INVALID')
    expect(town.told()).toEqual([])
  })

  it('25 are what somebody can have; revoked ones do not count', () => {
    const town = new Town()
    const ids = Array.from({ length: 25 }, (_, i) => create(town, `h${i}`).id)
    expect(codeOf(() => create(town, 'one more'))).toBe('LIMIT')
    town.do(({ bots }) => bots.create(town.bob, 'other', null, 'of another'))
    town.do(({ bots }) => bots.revoke(town.ada, ids[0] ?? ''))
    create(town, 'one more')
  })
})

describe('a user', () => {
  it('is as it was made; the first person is the admin, a bot before that is not', () => {
    const town = new Town()
    expect(town.world.users.find(town.ada)).toMatchObject({
      username: 'ada',
      is_admin: 1,
      is_bot: 0,
      disabled: 0,
      created_at: new Date(START).toISOString(),
    })
    expect(town.world.users.find(town.bob)?.is_admin).toBe(0)
    town.write('UPDATE users SET is_bot = 1')
    const person = { username: 'First', email: 'A@x.test', passwordHash: 'p', bot: false }
    expect(town.do(({ users }) => users.create({ ...person, username: 'bot', email: null, bot: true })).is_admin).toBe(
      0,
    )
    expect(town.do(({ users }) => users.create(person))).toMatchObject({
      username: 'First',
      email: 'A@x.test',
      is_admin: 1,
    })
  })

  it('is found by name in any case', () => {
    const town = new Town()
    const { users } = town.world
    expect(users.findByName('ADA')?.id).toBe(town.ada)
    expect(users.findByName('nobody')).toBeNull()
    expect([...users.findAll([town.bob, 'nobody', town.ada]).keys()].toSorted()).toEqual(
      [town.ada, town.bob].toSorted(),
    )
    expect(users.findAll([town.bob]).get(town.bob)).toMatchObject({ username: 'bob', num: 10_002 })
    expect(users.findAll([]).size).toBe(0)
    expect(users.find('nobody')).toBeNull()
    town.do(() => users.setPassword(town.ada, 'hash'))
    expect(users.credentialOf('aDa')).toMatchObject({ id: town.ada, password_hash: 'hash' })
    expect(users.credentialOf('bob')?.password_hash).toBeNull()
    expect(users.credentialOf('nobody')).toBeNull()
  })

  it.each([
    ['name', 'ADA', null],
    ['address', 'other', 'ADA@X.test'],
  ])('whose %s is taken in any case is refused, and those around it are not', (_what, username, email) => {
    const town = new Town()
    town.write("UPDATE users SET email = 'ada@x.test', email_lc = 'ada@x.test' WHERE username = 'ada'")
    const codes: string[] = []
    const submit = (name: string, address: string | null): void =>
      town.world.changes.submit(
        () => town.world.users.create({ username: name, email: address, passwordHash: null, bot: false }).num,
        (outcome) =>
          void codes.push(
            outcome.ok
              ? `${outcome.value}`
              : codeOf(() => {
                  throw outcome.error
                }),
          ),
      )
    submit('dora', null)
    submit(username, email)
    submit('emil', null)
    town.flush()
    expect(codes).toEqual(['10004', 'CONFLICT', '10005'])
  })

  it('changes what it says of itself; what is left out stays', () => {
    const town = new Town()
    const { users } = town.world
    town.do(() => users.change(town.ada, { bio: 'tides', custom_status: 'mapping' }))
    expect(town.do(() => users.change(town.ada, { bio: null, pronouns: 'she/her' }))).toMatchObject({
      bio: null,
      pronouns: 'she/her',
      custom_status: 'mapping',
    })
    expect(town.told()).toMatchObject([
      { type: 'user.changed', userId: town.ada },
      { type: 'user.changed', userId: town.ada },
    ])
    expect(codeOf(() => town.do(() => users.change('nobody', { bio: 'x' })))).toBe('NOT_FOUND')
    town.do(() => users.disable(town.ada))
    expect(users.find(town.ada)?.disabled).toBe(1)
    expect(town.told()).toMatchObject([{ type: 'user.changed', userId: town.ada }])
  })
})

describe('a bot that a config names', () => {
  const ensure = (town: Town, handle: string, num?: number) => town.do(({ bots }) => bots.ensure(handle, num))
  const numOf = (town: Town, handle: string, num?: number): number | undefined =>
    town.world.users.find(ensure(town, handle, num).user_id)?.num

  it('has the number that the config says, or the next one', () => {
    const town = new Town()
    expect(numOf(town, 'buoy', 2_854_196_310)).toBe(2_854_196_310)
    expect(numOf(town, 'bell')).toBe(10_004)
    expect(town.world.users.byNum(2_854_196_310)).toMatchObject({ username: 'buoy', is_bot: 1, is_admin: 0 })
  })

  it('is the same when it is named again, whatever number is said then', () => {
    const town = new Town()
    const first = ensure(town, 'buoy', 4711)
    expect(ensure(town, 'buoy', 4711)).toEqual(first)
    expect(ensure(town, 'buoy', 4712)).toEqual(first)
    expect(ensure(town, 'buoy')).toEqual(first)
    // Not even that of another.
    expect(ensure(town, 'buoy', 10_001)).toEqual(first)
    expect([town.world.users.byNum(4711)?.id, town.world.users.byNum(4712)]).toEqual([first.user_id, null])
    expect(town.reopen().do(({ bots }) => bots.ensure('buoy', 4711))).toEqual(first)
  })

  it('is refused where somebody else has the number, and nothing is left of it', () => {
    const town = new Town()
    expect(codeOf(() => ensure(town, 'buoy', 10_002))).toBe('CONFLICT')
    ensure(town, 'bell', 4711)
    expect(codeOf(() => ensure(town, 'buoy', 4711))).toBe('CONFLICT')
    expect(town.world.users.findByName('buoy')).toBeNull()
    expect(town.rows('SELECT handle FROM bots')).toEqual([{ handle: 'bell' }])
    // Another number will do, or none.
    expect(numOf(town, 'buoy', 4712)).toBe(4712)
  })

  it('whose name a person has gets the number all the same', () => {
    const town = new Town()
    expect(numOf(town, 'bob', 4711)).toBe(4711)
    expect(town.world.users.byNum(4711)?.username).not.toBe('bob')
    expect(town.world.users.findByName('bob')?.id).toBe(town.bob)
  })
})
