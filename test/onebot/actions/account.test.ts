import { describe, expect, it } from 'vitest'
import { field, idOf, listOf } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { Scene, text } from '../../support/onebot-scene.ts'
import { engines } from '../../support/server.ts'

describe.each(engines)('a bot of itself, on %s', (engine) => {
  it('is who people see', async () => {
    const scene = await Scene.start(engine)
    const robo = await scene.bots.userOf('robo')
    const user = await scene.http(scene.bo, 'GET', `/users/${robo}`)
    expect(await scene.robo.get('get_login_info')).toEqual({ user_id: SELF, nickname: field(user, 'username') })
    expect(await scene.mate.get('get_login_info', {})).toEqual({ user_id: scene.mateId, nickname: 'mate' })
  })

  it('onebot trap 25: runs actions by their other names, and answers with what came of it', async () => {
    const scene = await Scene.start(engine)
    const { status, retcode, data } = await scene.robo.call('send_group_msg_async', {
      group_id: scene.group,
      message: 'tea',
    })
    expect([status, retcode]).toEqual(['ok', 0])
    expect(await scene.contents()).toEqual(['tea'])
    expect(await scene.mate.event({ raw_message: 'tea' })).toMatchObject({ message_id: field(data, 'message_id') })
    expect(await scene.robo.get('get_login_info_async')).toEqual({ user_id: SELF, nickname: 'robo' })
    expect(await scene.robo.get('get_login_info_rate_limited')).toEqual({ user_id: SELF, nickname: 'robo' })
    expect(await scene.why('delete_msg_async', { message_id: 77 })).toBe('1200 MESSAGE_NOT_FOUND')
    expect(await scene.why('tea_async', {})).toBe('1404 不支持的API tea_async')
    expect(await scene.why('_async', {})).toBe('1404 不支持的API _async')
  })
})

describe('a bot of itself', () => {
  it('says what it has done, and what was said to it', async () => {
    const scene = await Scene.start('node')
    await scene.say(scene.bo, 'tea?')
    await scene.robo.get('send_group_msg', { group_id: scene.group, message: 'soon' })
    await scene.bots.settle(scene.robo)
    const status = await scene.robo.get('get_status')
    expect(status).toMatchObject({
      online: true,
      good: true,
      app_initialized: true,
      app_enabled: true,
      plugins_good: null,
      app_good: true,
      stat: { packet_lost: 0, message_received: 1, message_sent: 1, disconnect_times: 0, lost_times: 0 },
    })
    for (const name of ['packet_received', 'packet_sent']) {
      expect(Number(field(status, 'stat', name))).toBeGreaterThan(3)
    }
  })

  it('says what program it is, as the standard has it', async () => {
    const scene = await Scene.start('node')
    const version = await scene.robo.get('get_version_info')
    expect(version).toMatchObject({ app_name: 'fiberws', protocol_version: 'v11' })
    expect(String(field(version, 'app_version'))).toMatch(/^\d+\.\d+\.\d+/)
  })

  it('onebot trap 42: has answers to what clients ask at each start', async () => {
    const scene = await Scene.start('node')
    expect(await scene.robo.get('can_send_image')).toEqual({ yes: true })
    expect(await scene.robo.get('can_send_record', { any: 'thing' })).toEqual({ yes: true })
    expect(await scene.robo.get('clean_cache')).toBeNull()
    expect(await scene.robo.get('get_online_clients', { no_cache: false })).toEqual({ clients: [] })
    expect((await scene.robo.call('get_guild_service_profile')).retcode).toBe(0)
    expect(await scene.robo.get('get_guild_list')).toEqual([])
  })

  it.each(['get_cookies', 'get_csrf_token', 'get_credentials', 'set_restart', 'get_cookies_async'])(
    'has no %s, and says so',
    async (action) => {
      const scene = await Scene.start('node')
      const { status, retcode, data, message } = await scene.robo.call(action, { domain: 'x' })
      expect([status, retcode, data]).toEqual(['failed', 1404, null])
      expect(message).toBe(`${action}: not available on this platform`)
    },
  )

  it('says which actions there are: those that it has none of are not among them', async () => {
    const scene = await Scene.start('node')
    const actions = listOf(await scene.robo.get('get_supported_actions'))
    expect(actions).toContain('send_msg')
    expect(actions).toContain('.handle_quick_operation')
    for (const none of ['get_cookies', 'set_restart', 'set_group_anonymous']) expect(actions).not.toContain(none)
  })
})

describe('people', () => {
  it('onebot trap 12: get_stranger_info is of anybody, by number or text', async () => {
    const scene = await Scene.start('node')
    const dov = await scene.bots.gateway.person('dov')
    await scene.http(dov, 'PATCH', '/users/@me', { bio: 'no tea' })
    const created = scene.bots.world.users.find(dov.id)?.created_at ?? ''
    const stranger = {
      user_id: scene.num(dov),
      uid: String(scene.num(dov)),
      nickname: 'dov',
      sex: 'unknown',
      age: 0,
      qid: '',
      sign: 'no tea',
      long_nick: 'no tea',
      level: 1,
      qqLevel: 1,
      login_days: 0,
      reg_time: Math.floor(Date.parse(created) / 1000),
      is_vip: false,
      is_years_vip: false,
      vip_level: 0,
      remark: '',
      status: 20,
    }
    for (const user_id of [scene.num(dov), String(scene.num(dov))]) {
      expect(await scene.robo.get('get_stranger_info', { user_id, no_cache: 'no' })).toEqual(stranger)
    }
    expect(await scene.why('get_stranger_info', { user_id: 99_999 })).toBe('1200 USER_NOT_FOUND')
    expect(await scene.why('get_stranger_info', {})).toBe('1400 user_id: is needed')
    await scene.bots.world.changes.run(() => scene.bots.world.users.disable(dov.id))
    expect(await scene.why('get_stranger_info', { user_id: scene.num(dov) })).toBe('1200 USER_NOT_FOUND')
  })

  it('get_friend_list is of those who the bot knows, longest first, without who has gone', async () => {
    const scene = await Scene.start('node')
    expect(await scene.robo.get('get_friend_list')).toEqual([])
    const dov = await scene.bots.gateway.person('dov')
    const robo = await scene.bots.userOf('robo')
    for (const who of [dov, scene.bo]) await scene.http(who, 'POST', '/dm-channels', { user_id: robo })
    const friend = {
      remark: '',
      sex: 'unknown',
      age: 0,
      level: 1,
      birthday_year: 0,
      birthday_month: 0,
      birthday_day: 0,
      phone_num: '',
      email: '',
      category_id: 0,
    }
    const [one, other] = [
      { ...friend, user_id: scene.num(dov), nickname: 'dov' },
      { ...friend, user_id: scene.boId, nickname: 'bo' },
    ]
    expect(await scene.robo.get('get_friend_list', { no_cache: true })).toEqual([one, other])
    await scene.bots.world.changes.run(() => scene.bots.world.users.disable(dov.id))
    expect(await scene.robo.get('get_friend_list')).toEqual([other])
  })

  it('onebot trap 12: send_like is told to who is liked, as often as it is', async () => {
    const scene = await Scene.start('node')
    const user_id = scene.mateId
    expect(await scene.robo.get('send_like', { user_id: String(user_id) })).toBeNull()
    await scene.robo.get('send_like', { user_id, times: '3' })
    const like = { post_type: 'notice', notice_type: 'notify', sub_type: 'profile_like' }
    const by = { operator_id: SELF, operator_nick: 'robo' }
    expect(await scene.both()).toEqual([
      [],
      [
        { ...like, ...by, times: 1 },
        { ...like, ...by, times: 3 },
      ],
    ])
    expect(scene.bots.world.likes.of(await scene.bots.userOf('mate')).total).toBe(4)
    expect(await scene.why('send_like', { user_id, times: 7 })).toBe('1200 LIMIT_REACHED')
    expect(await scene.why('send_like', { user_id, times: 1.5 })).toBe('1400 times: must be an integer')
    expect(await scene.why('send_like', { user_id: 99_999 })).toBe('1200 USER_NOT_FOUND')
    expect(await scene.why('send_like', { user_id: SELF })).toBe('1200 PERMISSION_DENIED')
    expect(await scene.why('send_like', {})).toBe('1400 user_id: is needed')
    expect(await scene.both()).toEqual([[], []])
  })
})

describe('.handle_quick_operation', () => {
  const context = async (scene: Scene, content = 'tea?') => {
    const { num } = await scene.say(scene.bo, content)
    return scene.robo.event({ post_type: 'message', message_id: num })
  }

  it('onebot trap 36: answers in a group to what was said, and calls who has said it where it is told to', async () => {
    const scene = await Scene.start('node')
    const about = await context(scene)
    const quote = { type: 'reply', data: { id: String(about['message_id']) } }
    await scene.forget()
    const run = (operation: object) => scene.robo.get('.handle_quick_operation', { context: about, operation })
    expect(await run({ reply: 'hi' })).toBeNull()
    await scene.mate.event({ raw_message: `[CQ:reply,id=${Number(about['message_id'])}]hi` })
    await run({ reply: 'you', at_sender: true })
    await run({ reply: '[CQ:face,id=1]', auto_escape: true })
    const told = await scene.told(scene.mate)
    expect(told.map((event) => event['message'])).toEqual([
      [quote, text('hi')],
      [quote, { type: 'at', data: { qq: String(scene.boId) } }, text('you')],
      [quote, text('[CQ:face,id=1]')],
    ])
    expect((await scene.contents()).slice(0, 3)).toEqual(['[CQ:face,id=1]', '@bo you', 'hi'])
  })

  it('answers in private without either', async () => {
    const scene = await Scene.start('node')
    const robo = await scene.bots.userOf('robo')
    const direct = idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: robo }))
    await scene.http(scene.bo, 'POST', `/dm-channels/${direct}/messages`, { content: 'tea?' })
    const about = await scene.robo.event({ message_type: 'private' })
    const operation = { reply: 'soon', at_sender: true }
    await scene.robo.get('.handle_quick_operation', { context: about, operation })
    for (let said = null; field(said, 'content') !== 'soon';) said = await scene.eyes.next('DM_MESSAGE_CREATE')
    const [message] = listOf(await scene.http(scene.bo, 'GET', `/dm-channels/${direct}/messages`))
    expect([field(message, 'content'), field(message, 'reply_to') ?? null]).toEqual(['soon', null])
  })

  it('takes back what was said, and silences or sends away who has said it', async () => {
    const scene = await Scene.start('node')
    const about = await context(scene)
    await scene.forget()
    const run = (operation: object) => scene.robo.get('.handle_quick_operation', { context: about, operation })
    await run({ delete: true, ban: true, ban_duration: 60 })
    await scene.mate.event({ notice_type: 'group_recall', operator_id: SELF })
    await scene.mate.event({ notice_type: 'group_ban', duration: 60, user_id: scene.boId })
    await run({ ban: true })
    await scene.mate.event({ notice_type: 'group_ban', duration: 1800 })
    await run({ kick: true })
    await scene.mate.event({ notice_type: 'group_decrease', sub_type: 'kick', user_id: scene.boId })
    expect([await scene.contents(), await scene.member(scene.bo.id)]).toEqual([[], undefined])
  })

  it('decides requests', async () => {
    const scene = await Scene.start('node')
    const robo = await scene.bots.userOf('robo')
    await scene.http(scene.bo, 'POST', '/friend-requests', { user_id: robo, comment: '' })
    const about = await scene.robo.event({ request_type: 'friend' })
    const operation = { approve: true, remark: 'tea friend' }
    await scene.robo.get('.handle_quick_operation', { context: about, operation })
    await scene.robo.event({ notice_type: 'friend_add' })
    expect(await scene.robo.get('get_friend_list')).toMatchObject([{ user_id: scene.boId, remark: 'tea friend' }])
  })

  it('does nothing where there is nothing to do, and answers at once where it cannot be done', async () => {
    const scene = await Scene.start('node')
    const about = await context(scene)
    await scene.forget()
    const run = (operation: unknown, of: unknown = about) =>
      scene.why('.handle_quick_operation', { context: of, operation })
    expect(await run({})).toBe('ok')
    expect(await run({ unknown: 1, delete: false, kick: 'false' })).toBe('ok')
    expect(await run({ reply: 'x' }, { ...about, post_type: 'message_sent' })).toBe('ok')
    expect(await run({ reply: 'x' }, { ...about, post_type: 'notice' })).toBe('ok')
    expect(await run({ reply: 'x'.repeat(4001) })).toBe('ok')
    expect(await run({ reply: 'x' }, {})).toBe('1400 post_type: is needed')
    expect(await run('x')).toBe('1400 operation: must be an object')
    expect(await scene.contents()).toEqual(['tea?'])
    expect(await scene.both()).toEqual([[], []])
  })
})
