import { describe, expect, it } from 'vitest'
import { ADMINISTRATOR, KICK_MEMBERS } from '../../../lib/chat/permissions.ts'
import { field, type Gateway, idOf } from '../../support/gateway.ts'
import { Bots, SELF } from '../../support/onebot.ts'
import { type Json, notice, Scene } from '../../support/onebot-scene.ts'
import { engines } from '../../support/server.ts'

const seen = (sub_type: 'approve' | 'invite', group_id: number, user_id: number, operator_id = 0): Json =>
  notice('group_increase', { sub_type, group_id, operator_id, user_id })
const unseen = (group_id: number, user_id: number, operator_id = 0): Json =>
  notice('group_decrease', { sub_type: 'leave', group_id, operator_id, user_id })

describe('what a bot sees', () => {
  it('is more with a channel for text that is made, and no more with one for voices', async () => {
    const scene = await Scene.start('node')
    await scene.makeChannel('deck', 'voice')
    expect(await scene.both()).toEqual([[], []])
    const { id, group } = await scene.makeChannel('quay')
    expect(await scene.both()).toEqual([[seen('approve', group, SELF)], [seen('approve', group, scene.mateId)]])
    const said = await scene.say(scene.bo, 'tea', {}, id)
    expect((await scene.both()).map((events) => events[0]?.['message_id'])).toEqual([said.num, said.num])
    expect(await scene.robo.get('get_group_info', { group_id: group })).toMatchObject({ group_name: 'quay' })
  })

  it('is less with what hides a channel from it, and more without that: nobody else is told', async () => {
    const scene = await Scene.start('node')
    const override = await scene.hide(scene.channel, 'mate')
    expect(await scene.both()).toEqual([[], [unseen(scene.group, scene.mateId)]])
    expect(await scene.mate.get('get_group_list')).toEqual([])
    // Nothing of it comes through, whatever it is.
    const { id, num } = await scene.say(scene.bo, 'tea @mate @everyone')
    const path = `/channels/${scene.channel}/messages/${id}`
    const bo = `/servers/${scene.server}/members/${scene.bo.id}`
    await scene.http(scene.ada, 'POST', `${path}/pin`)
    await scene.http(scene.bo, 'PUT', `${path}/reactions/${encodeURIComponent('☕')}`)
    await scene.http(scene.bo, 'PATCH', bo, { nickname: 'host' })
    await scene.http(scene.ada, 'POST', `${bo}/timeout`, { duration_minutes: 1 })
    await scene.http(scene.ada, 'DELETE', `${bo}/timeout`)
    await scene.http(scene.ada, 'PATCH', `/servers/${scene.server}/channels/${scene.channel}`, { name: 'den' })
    await scene.giveRole(scene.bo.id, ADMINISTRATOR)
    await scene.http(scene.ada, 'DELETE', `/messages/${id}`)
    await scene.http(scene.ada, 'POST', `${bo}/kick`, {})
    const dov = await scene.bots.gateway.person('dov')
    await scene.http(dov, 'POST', `/servers/${scene.server}/join`)
    const [all, none] = await scene.both()
    expect(all?.map((event) => event['notice_type'] ?? event['post_type'])).toEqual([
      'message',
      'essence',
      'group_msg_emoji_like',
      'group_card',
      'group_ban',
      'group_ban',
      'notify',
      'group_admin',
      'group_recall',
      'group_decrease',
      'group_increase',
    ])
    expect(none).toEqual([])
    expect(await scene.why('get_msg', { message_id: num }, scene.mate)).toBe('1200 MESSAGE_NOT_FOUND')
    await scene.http(scene.ada, 'DELETE', `/channels/${scene.channel}/overrides/${override}`)
    expect(await scene.both()).toEqual([[], [seen('approve', scene.group, scene.mateId)]])
  })

  it('changes with the role that hides or shows a channel, given, changed and taken', async () => {
    const scene = await Scene.start('node', { power: 0 })
    const robo = await scene.bots.userOf('robo')
    const everyone = { role_id: scene.server, user_id: null, allow: 0, deny: 1 }
    await scene.http(scene.ada, 'PUT', `/channels/${scene.channel}/overrides`, everyone)
    expect(await scene.both()).toEqual([[unseen(scene.group, SELF)], [unseen(scene.group, scene.mateId)]])
    const role = await scene.giveRole(robo, KICK_MEMBERS)
    const crew = { role_id: role, user_id: null, allow: 1, deny: 0 }
    await scene.http(scene.ada, 'PUT', `/channels/${scene.channel}/overrides`, crew)
    expect(await scene.both()).toEqual([[seen('approve', scene.group, SELF)], []])
    const held = `/servers/${scene.server}/members/${robo}/roles/${role}`
    await scene.http(scene.ada, 'DELETE', held)
    expect(await scene.both()).toEqual([[unseen(scene.group, SELF)], []])
    await scene.http(scene.ada, 'PUT', held)
    expect(await scene.both()).toEqual([[seen('approve', scene.group, SELF)], []])
    await scene.http(scene.ada, 'DELETE', `/servers/${scene.server}/roles/${role}`)
    expect(await scene.both()).toEqual([[unseen(scene.group, SELF)], []])
    // Administrators see everything.
    const admin = await scene.giveRole(robo, ADMINISTRATOR)
    const [first] = await scene.both()
    expect(first).toContainEqual(seen('approve', scene.group, SELF))
    await scene.http(scene.ada, 'PATCH', `/servers/${scene.server}/roles/${admin}`, { permissions: KICK_MEMBERS })
    const [second] = await scene.both()
    expect(second).toContainEqual(unseen(scene.group, SELF))
  })

  it('counts members of a channel, not of its server', async () => {
    const scene = await Scene.start('node')
    const info = async (): Promise<unknown[]> => [
      field(await scene.robo.get('get_group_info', { group_id: scene.group }), 'member_count'),
      await scene.robo.get('get_group_member_list', { group_id: scene.group }),
    ]
    const ids = (list: unknown): unknown[] => (Array.isArray(list) ? list.map((one) => field(one, 'user_id')) : [])
    const [count, list] = await info()
    expect([count, ids(list)]).toEqual([4, [scene.adaId, SELF, scene.mateId, scene.boId]])
    await scene.hide(scene.channel, 'mate')
    const [less, rest] = await info()
    expect([less, ids(rest)]).toEqual([3, [scene.adaId, SELF, scene.boId]])
    const member = { group_id: scene.group, user_id: scene.mateId }
    expect(await scene.why('get_group_member_info', member)).toBe('1200 MEMBER_NOT_FOUND')
  })

  it('is everything again with a bot that comes back, and nothing of what was said meanwhile', async () => {
    const scene = await Scene.start('node')
    const mate = await scene.bots.userOf('mate')
    await scene.mate.get('set_group_leave', { group_id: scene.group })
    const left = { sub_type: 'leave', group_id: scene.group, operator_id: scene.mateId, user_id: scene.mateId }
    expect(await scene.both()).toEqual([[notice('group_decrease', left)], [notice('group_decrease', left)]])
    const meanwhile = await scene.say(scene.bo, 'gone?')
    await scene.bots.bring('mate')
    const [all, own] = await scene.both()
    expect(own).toEqual([seen('approve', scene.group, scene.mateId)])
    expect(all?.slice(1)).toEqual([seen('approve', scene.group, scene.mateId)])
    // What was said it may read.
    expect(await scene.mate.get('get_msg', { message_id: meanwhile.num })).toMatchObject({ raw_message: 'gone?' })
    expect(scene.bots.world.access.isMember(mate, scene.server)).toBe(true)
  })

  it('begins with a server that its config names, when that has a channel', async () => {
    const bots = await Bots.start('node', { onebot: { bots: { robo: { selfId: SELF, join: ['Bay'] } } } })
    const robo = await bots.connect()
    const request = (method: string, path: string, body: unknown) => bots.gateway.request(method, path, bots.ada, body)
    const server = idOf((await request('POST', '/servers', { name: 'Bay' })).body)
    expect(await robo.get('get_group_list')).toHaveLength(1)
    const channel = idOf((await request('POST', `/servers/${server}/channels`, { name: 'quay', type: 'text' })).body)
    const group = bots.world.channels.find(channel)?.num
    await robo.event({ notice_type: 'group_increase', group_id: group, user_id: SELF })
    const { body } = await bots.gateway.request('GET', `/servers/${server}/members`, bots.ada)
    expect(body).toContainEqual(expect.objectContaining({ username: 'robo' }))
    expect(robo.events.filter((event) => event['group_id'] === group)).toHaveLength(1)
  })
})

describe.each(engines)('a bot, on %s', (engine) => {
  const statusOf = async (gateway: Gateway, bots: Bots): Promise<unknown> => {
    const { body } = await gateway.request('GET', `/servers/${bots.server}/members`, bots.ada)
    return Array.isArray(body) ? body.map((one) => [field(one, 'username'), field(one, 'status')]) : body
  }

  it('is online for people while somebody is told of it, on however many links', async () => {
    const bots = await Bots.start(engine)
    const { gateway, ada } = bots
    const eyes = await gateway.connect(ada)
    const user_id = await bots.userOf('robo')
    const change = async (): Promise<unknown> => {
      for (;;) {
        const changed = await eyes.next('PRESENCE_UPDATE')
        if (field(changed, 'user_id') === user_id) return field(changed, 'status')
      }
    }
    // One that only asks does not count.
    const api = await bots.connectApi()
    await api.get('get_status')
    expect(await statusOf(gateway, bots)).toContainEqual(['robo', 'offline'])
    const first = await bots.connect()
    expect(await change()).toBe('online')
    const second = await bots.connect()
    await first.close()
    await second.get('get_status')
    expect(await statusOf(gateway, bots)).toContainEqual(['robo', 'online'])
    await second.close()
    expect(await change()).toBe('offline')
    expect(await statusOf(gateway, bots)).toContainEqual(['robo', 'offline'])
    await bots.connect()
    expect(await change()).toBe('online')
  })

  it('says of people whether they are there', async () => {
    const scene = await Scene.start(engine)
    const status = async (user: number): Promise<unknown> =>
      field(await scene.robo.get('get_stranger_info', { user_id: user }), 'status')
    expect([await status(scene.boId), await status(scene.adaId), await status(scene.mateId)]).toEqual([10, 20, 10])
  })
})
