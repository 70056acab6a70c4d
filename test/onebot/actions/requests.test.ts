import { describe, expect, it } from 'vitest'
import { CREATE_INVITES } from '../../../lib/chat/permissions.ts'
import { field, idOf, listOf, type Person } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { Scene } from '../../support/onebot-scene.ts'

/** Robo may let others in; nobody comes in without that. Dov is no member. */
async function start(power = CREATE_INVITES) {
  const scene = await Scene.start('node', { power })
  await scene.http(scene.ada, 'PATCH', `/servers/${scene.server}`, { require_invite: true })
  const dov = await scene.bots.gateway.person('dov')
  return { scene, dov, robo: await scene.bots.userOf('robo') }
}

/** Asks to be friends; the flag that robo is told. */
async function befriend(scene: Scene, who: Person, robo: string): Promise<unknown> {
  const from = scene.robo.frames.length
  await scene.http(who, 'POST', '/friend-requests', { user_id: robo, comment: `from ${who.username}` })
  return (await scene.robo.event({ request_type: 'friend', user_id: scene.num(who) }, from))['flag']
}

/** Asks to come in; the flag that robo is told. */
async function knock(scene: Scene, who: Person): Promise<unknown> {
  await scene.http(who, 'POST', `/servers/${scene.server}/join-requests`, {})
  return (await scene.robo.event({ request_type: 'group', user_id: scene.num(who) }))['flag']
}

describe('set_friend_add_request', () => {
  const isFriend = (scene: Scene, robo: string, who: Person): boolean => scene.bots.world.friends.are(robo, who.id)
  const pending = async (scene: Scene, who: Person): Promise<unknown[]> =>
    listOf(await scene.http(who, 'GET', '/friend-requests'))

  it.each([[{}], [{ approve: true }], [{ approve: 'true' }], [{ approve: 1 }]])('accepts with %j', async (more) => {
    const { scene, dov, robo } = await start()
    const flag = await befriend(scene, dov, robo)
    await scene.forget()
    expect(await scene.robo.get('set_friend_add_request', { flag, ...more })).toBeNull()
    expect([isFriend(scene, robo, dov), await pending(scene, dov)]).toEqual([true, []])
    expect(await scene.both()).toEqual([
      [{ post_type: 'notice', notice_type: 'friend_add', user_id: scene.num(dov) }],
      [],
    ])
  })

  it.each([[{ approve: false }], [{ approve: 'false' }], [{ approve: 'no' }], [{ approve: 0 }]])(
    'rejects with %j',
    async (more) => {
      const { scene, dov, robo } = await start()
      const flag = await befriend(scene, dov, robo)
      await scene.forget()
      await scene.robo.get('set_friend_add_request', { flag, ...more })
      expect([isFriend(scene, robo, dov), await pending(scene, dov)]).toEqual([false, []])
      expect(await scene.both()).toEqual([[], []])
    },
  )

  it('keeps what the bot calls them, for itself', async () => {
    const { scene, dov, robo } = await start()
    const flag = await befriend(scene, dov, robo)
    await scene.robo.get('set_friend_add_request', { flag, remark: 'tea friend' })
    expect(await scene.robo.get('get_friend_list')).toMatchObject([{ user_id: scene.num(dov), remark: 'tea friend' }])
    const asked = { user_id: scene.num(dov) }
    expect(await scene.robo.get('get_stranger_info', asked)).toMatchObject({ remark: 'tea friend' })
    expect(await scene.mate.get('get_stranger_info', asked)).toMatchObject({ remark: '' })
    // Of who is rejected nothing is kept.
    const other = await befriend(scene, scene.bo, robo)
    await scene.robo.get('set_friend_add_request', { flag: other, approve: false, remark: 'no friend' })
    expect(await scene.robo.get('get_stranger_info', { user_id: scene.boId })).toMatchObject({ remark: '' })
  })

  it('is done once', async () => {
    const { scene, dov, robo } = await start()
    const flag = await befriend(scene, dov, robo)
    await scene.robo.get('set_friend_add_request', { flag, approve: false })
    for (const approve of [true, false]) {
      expect(await scene.why('set_friend_add_request', { flag, approve })).toBe('1200 FLAG_HAS_BEEN_CHECKED')
    }
    expect(isFriend(scene, robo, dov)).toBe(false)
    // Also by two at once.
    const again = await befriend(scene, dov, robo)
    const both = await Promise.all([
      scene.why('set_friend_add_request', { flag: again }),
      scene.why('set_friend_add_request', { flag: again }, scene.self),
    ])
    expect(both.toSorted()).toEqual(['1200 FLAG_HAS_BEEN_CHECKED', 'ok'])
  })

  it('knows flags of its own friends only', async () => {
    const { scene, dov, robo } = await start()
    const flag = await befriend(scene, dov, robo)
    const joining = await knock(scene, dov)
    const why = (params: object, client = scene.robo) => scene.why('set_friend_add_request', params, client)
    expect(await why({ flag: 'none' })).toBe('1200 FLAG_NOT_FOUND')
    expect(await why({ flag: '' })).toBe('1200 FLAG_NOT_FOUND')
    expect(await why({ flag: 12 })).toBe('1200 FLAG_NOT_FOUND')
    expect(await why({ flag: joining })).toBe('1200 FLAG_NOT_FOUND')
    expect(await why({ flag }, scene.mate)).toBe('1200 FLAG_NOT_FOUND')
    expect(await why({})).toBe('1400 flag: is needed')
    expect(await why({ flag, approve: 'perhaps' })).toBe('1400 approve: must be true or false')
    expect(await pending(scene, dov)).toHaveLength(1)
  })
})

describe('set_group_add_request', () => {
  it.each([[{ sub_type: 'add' }], [{ type: 'add', approve: 'yes' }], [{}]])('lets in with %j', async (more) => {
    const { scene, dov } = await start()
    const flag = await knock(scene, dov)
    await scene.forget()
    expect(await scene.robo.get('set_group_add_request', { flag, ...more })).toBeNull()
    expect(await scene.member(dov.id)).toMatchObject({ username: 'dov' })
    const come = { notice_type: 'group_increase', sub_type: 'approve', operator_id: SELF, user_id: scene.num(dov) }
    expect(await scene.both()).toMatchObject([[come], [come]])
  })

  it('rejects, and says why', async () => {
    const { scene, dov } = await start()
    const flag = await knock(scene, dov)
    await scene.forget()
    const rejection = { flag, sub_type: 'add', approve: 'false', reason: 'full' }
    await scene.robo.get('set_group_add_request', rejection)
    expect(await scene.member(dov.id)).toBeUndefined()
    expect(await scene.http(scene.ada, 'GET', `/servers/${scene.server}/join-requests`)).toEqual([])
    expect(await scene.both()).toEqual([[], []])
    const { arrivals } = scene.bots.world
    const robo = await scene.bots.userOf('robo')
    expect(arrivals.byFlag(robo, String(flag))).toMatchObject({ state: 'rejected', reason: 'full', decided_by: robo })
    expect(await scene.why('set_group_add_request', rejection)).toBe('1200 FLAG_HAS_BEEN_CHECKED')
  })

  it('needs the right to let in, also when it was asked before', async () => {
    const { scene, dov, robo } = await start()
    const flag = await knock(scene, dov)
    const why = (params: object, client = scene.robo) => scene.why('set_group_add_request', params, client)
    expect(await why({ flag }, scene.mate)).toBe('1200 FLAG_NOT_FOUND')
    const roles = listOf(await scene.http(scene.ada, 'GET', `/servers/${scene.server}/roles`))
    const role = roles.map((one) => field(one, 'id')).find((one) => typeof one === 'string')
    await scene.http(scene.ada, 'DELETE', `/servers/${scene.server}/members/${robo}/roles/${String(role)}`)
    expect(await why({ flag })).toBe('1200 FLAG_NOT_FOUND')
    expect(await scene.member(dov.id)).toBeUndefined()
  })

  it('does not let in who was banned meanwhile, or has come another way', async () => {
    const { scene, dov } = await start()
    const flag = await knock(scene, dov)
    const member = `/servers/${scene.server}/members/${dov.id}`
    await scene.http(scene.ada, 'POST', `${member}/ban`, {})
    expect(await scene.why('set_group_add_request', { flag })).toBe('1200 PERMISSION_DENIED')
    expect(await scene.member(dov.id)).toBeUndefined()
    await scene.http(scene.ada, 'DELETE', `/servers/${scene.server}/bans/${dov.id}`)
    const invite = await scene.http(scene.ada, 'POST', `/servers/${scene.server}/invites`, {})
    await scene.http(dov, 'POST', `/invites/${String(field(invite, 'code'))}/accept`)
    expect(await scene.why('set_group_add_request', { flag })).not.toBe('ok')
  })

  it('answers an invitation, once', async () => {
    const { scene, robo } = await start()
    const server = idOf(await scene.http(scene.ada, 'POST', '/servers', { name: 'Bay' }))
    const channel = await scene.bots.gateway.channel(scene.ada, server)
    const group = scene.bots.world.channels.find(channel)?.num
    const invite = async (): Promise<unknown> => {
      const from = scene.robo.frames.length
      await scene.http(scene.ada, 'POST', `/servers/${server}/invitations`, { user_id: robo })
      return (await scene.robo.event({ request_type: 'group', sub_type: 'invite' }, from))['flag']
    }
    const names = async (): Promise<unknown[]> =>
      listOf(await scene.http(scene.ada, 'GET', `/servers/${server}/members`)).map((one) => field(one, 'username'))
    const first = await invite()
    await scene.robo.get('set_group_add_request', { flag: first, sub_type: 'invite', approve: false })
    expect(await names()).toEqual(['ada'])
    expect(await scene.why('set_group_add_request', { flag: first })).toBe('1200 FLAG_HAS_BEEN_CHECKED')
    const second = await invite()
    expect(await scene.why('set_group_add_request', { flag: second }, scene.mate)).toBe('1200 FLAG_NOT_FOUND')
    await scene.robo.get('set_group_add_request', { flag: second, sub_type: 'invite' })
    expect(await names()).toEqual(['ada', 'robo'])
    expect(await scene.robo.get('get_group_info', { group_id: group })).toMatchObject({ member_count: 2 })
  })

  it('knows no other flags', async () => {
    const { scene, dov, robo } = await start()
    const flag = await befriend(scene, dov, robo)
    for (const one of ['none', '', flag]) {
      expect(await scene.why('set_group_add_request', { flag: one })).toBe('1200 FLAG_NOT_FOUND')
    }
    expect(await scene.why('set_group_add_request', {})).toBe('1400 flag: is needed')
  })
})
