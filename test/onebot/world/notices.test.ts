import { describe, expect, it } from 'vitest'
import {
  ADMINISTRATOR,
  KICK_MEMBERS,
  MANAGE_CHANNELS,
  MANAGE_MESSAGES,
  MANAGE_ROLES,
  MANAGE_SERVER,
  SPEAK,
} from '../../../lib/chat/permissions.ts'
import { field, idOf } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { type Json, notice, Scene } from '../../support/onebot-scene.ts'
import { engines } from '../../support/server.ts'

/** The same for each of some groups. */
const each = (groups: readonly number[], one: Json): Json[] => groups.map((group_id) => ({ ...one, group_id }))

/** Twice: for robo and for mate. */
const both = (...all: readonly Json[]): Json[][] => [[...all], [...all]]

describe.each(engines)('what happens to messages, on %s', (engine) => {
  it('is told of who has deleted one, its own author or another', async () => {
    const scene = await Scene.start(engine)
    const own = await scene.say(scene.bo, 'tea')
    const other = await scene.say(scene.bo, 'cake')
    await scene.forget()
    await scene.http(scene.bo, 'DELETE', `/messages/${own.id}`)
    await scene.http(scene.ada, 'DELETE', `/messages/${other.id}`)
    const recall = { group_id: scene.group, user_id: scene.boId }
    expect(await scene.both()).toEqual(
      both(
        notice('group_recall', { ...recall, operator_id: scene.boId, message_id: own.num }),
        notice('group_recall', { ...recall, operator_id: scene.adaId, message_id: other.num }),
      ),
    )
  })

  it('is told of what is pinned, and no more', async () => {
    const scene = await Scene.start(engine)
    const { id, num } = await scene.say(scene.bo, 'tea')
    await scene.forget()
    const path = `/channels/${scene.channel}/messages/${id}/pin`
    await scene.http(scene.ada, 'POST', path)
    await scene.http(scene.ada, 'POST', path)
    await scene.http(scene.ada, 'DELETE', path)
    const essence = {
      group_id: scene.group,
      user_id: scene.boId,
      sender_id: scene.boId,
      operator_id: scene.adaId,
      message_id: num,
    }
    expect(await scene.both()).toEqual(
      both(notice('essence', { sub_type: 'add', ...essence }), notice('essence', { sub_type: 'delete', ...essence })),
    )
  })

  it('is told of reactions by numbers: of faces, of other emoji their code points', async () => {
    const scene = await Scene.start(engine)
    const { id, num } = await scene.say(scene.bo, 'tea')
    await scene.forget()
    const path = `/channels/${scene.channel}/messages/${id}/reactions`
    const [cup, face] = [encodeURIComponent('☕'), encodeURIComponent(':face76:')]
    await scene.http(scene.ada, 'PUT', `${path}/${cup}`)
    await scene.http(scene.bo, 'PUT', `${path}/${face}`)
    await scene.http(scene.ada, 'DELETE', `${path}/${cup}`)
    const like = (user_id: number, emoji_id: string, is_add: boolean): Json =>
      notice('group_msg_emoji_like', {
        group_id: scene.group,
        user_id,
        message_id: num,
        likes: [{ emoji_id, count: 1 }],
        is_add,
      })
    expect(await scene.both()).toEqual(
      both(like(scene.adaId, '9749', true), like(scene.boId, '76', true), like(scene.adaId, '9749', false)),
    )
  })
})

describe.each(engines)('onebot trap 22: a poke, on %s', (engine) => {
  it('in a group is told to all bots there', async () => {
    const scene = await Scene.start(engine)
    const { pokes } = scene.bots.world
    pokes.inChannel(scene.bo.id, scene.channel, await scene.bots.userOf('robo'))
    const poke = {
      sub_type: 'poke',
      group_id: scene.group,
      user_id: scene.boId,
      sender_id: scene.boId,
      target_id: SELF,
    }
    expect(await scene.both()).toEqual(both(notice('notify', poke)))
  })

  it('onebot trap 22: somebody who types to the bot is told of, as of no group', async () => {
    const scene = await Scene.start(engine)
    const robo = await scene.bots.userOf('robo')
    const direct = idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: robo }))
    await scene.forget()
    const client = await scene.bots.gateway.connect(scene.bo)
    client.send({ op: 'TYPING_START', d: { channel_id: direct } })
    await client.settle()
    const typing = { sub_type: 'input_status', group_id: 0, user_id: scene.boId, event_type: 1, status_text: 'typing' }
    expect(await scene.both()).toEqual([[notice('notify', typing)], []])
  })

  it('of one alone has no group at all, and is told to the two', async () => {
    const scene = await Scene.start(engine)
    const user_id = await scene.bots.userOf('robo')
    await scene.http(scene.bo, 'POST', '/dm-channels', { user_id })
    await scene.forget()
    scene.bots.world.pokes.direct(scene.bo.id, user_id)
    const poke = { sub_type: 'poke', user_id: scene.boId, sender_id: scene.boId, target_id: SELF }
    expect(await scene.both()).toEqual([[notice('notify', poke)], []])
    await scene.robo.get('send_private_msg', { user_id: scene.mateId, message: 'hello' })
    await scene.forget()
    scene.bots.world.pokes.direct(user_id, await scene.bots.userOf('mate'))
    const back = { sub_type: 'poke', user_id: SELF, sender_id: SELF, target_id: scene.mateId }
    expect(await scene.both()).toEqual([[notice('notify', back)], [notice('notify', back)]])
  })
})

/** With a second channel, of which mate knows nothing. */
async function start(power?: number) {
  const scene = await Scene.start('node', power === undefined ? {} : { power })
  const quay = await scene.makeChannel('quay')
  await scene.makeChannel('deck', 'voice')
  await scene.hide(quay.id, 'mate')
  await scene.forget()
  const path = `/servers/${scene.server}/members`
  /** Once in each group that a bot and who it is about see. */
  const inAll = (one: Json): Json[][] => [each([scene.group, quay.group], one), each([scene.group], one)]
  return { scene, quay, path, inAll, bo: `${path}/${scene.bo.id}` }
}

describe('what happens to members', () => {
  it('is told of who comes: by themselves, or with an invite', async () => {
    const { scene, inAll } = await start()
    const dov = await scene.bots.gateway.person('dov')
    await scene.http(dov, 'POST', `/servers/${scene.server}/join`)
    const increase = { sub_type: 'approve', operator_id: 0, user_id: scene.num(dov) }
    expect(await scene.both()).toEqual(inAll(notice('group_increase', increase)))
    const eve = await scene.bots.gateway.person('eve')
    const invite = await scene.http(scene.ada, 'POST', `/servers/${scene.server}/invites`, {})
    await scene.http(eve, 'POST', `/invites/${String(field(invite, 'code'))}/accept`)
    const [event] = (await scene.both())[1] ?? []
    expect(event).toEqual(
      notice('group_increase', {
        sub_type: 'invite',
        operator_id: scene.adaId,
        user_id: scene.num(eve),
        group_id: scene.group,
      }),
    )
  })

  it('is told of who leaves, where they were seen', async () => {
    const { scene, quay, inAll } = await start()
    await scene.http(scene.bo, 'DELETE', `/servers/${scene.server}/leave`)
    const decrease = { sub_type: 'leave', operator_id: scene.boId, user_id: scene.boId }
    expect(await scene.both()).toEqual(inAll(notice('group_decrease', decrease)))
    // Who did not see a channel has not left it.
    const dov = await scene.bots.person('dov')
    await scene.http(scene.ada, 'PUT', `/channels/${quay.id}/overrides`, {
      user_id: dov.who.id,
      role_id: null,
      allow: 0,
      deny: 1,
    })
    await scene.forget()
    await scene.http(dov.who, 'DELETE', `/servers/${scene.server}/leave`)
    const gone = notice('group_decrease', {
      sub_type: 'leave',
      group_id: scene.group,
      operator_id: scene.num(dov.who),
      user_id: scene.num(dov.who),
    })
    expect(await scene.both()).toEqual(both(gone))
  })

  it.each(['kick', 'ban'])('is told of who is sent away with a %s, and by whom', async (how) => {
    const { scene, inAll, bo } = await start()
    await scene.http(scene.ada, 'POST', `${bo}/${how}`, {})
    const decrease = { sub_type: 'kick', operator_id: scene.adaId, user_id: scene.boId }
    expect(await scene.both()).toEqual(inAll(notice('group_decrease', decrease)))
    // Who leaves next goes by themselves.
    const dov = await scene.bots.person('dov')
    await scene.forget()
    await scene.http(dov.who, 'DELETE', `/servers/${scene.server}/leave`)
    expect((await scene.both())[1]).toMatchObject([{ sub_type: 'leave', operator_id: scene.num(dov.who) }])
  })

  it('is not told of a ban of who is not there', async () => {
    const { scene, path } = await start()
    const dov = await scene.bots.gateway.person('dov')
    await scene.http(scene.ada, 'POST', `${path}/${dov.id}/ban`, {})
    expect(await scene.both()).toEqual([[], []])
    // And what comes next is no part of it.
    await scene.http(scene.bo, 'DELETE', `/servers/${scene.server}/leave`)
    expect((await scene.both())[1]).toMatchObject([{ sub_type: 'leave', user_id: scene.boId }])
  })

  it.each(['kick', 'ban'])('tells a bot of its own %s once for each group, and nothing afterwards', async (how) => {
    const sub_type = 'kick_me'
    const { scene, quay, path } = await start()
    const robo = await scene.bots.userOf('robo')
    await scene.http(scene.ada, 'POST', `${path}/${robo}/${how}`, {})
    await scene.say(scene.ada, 'gone?')
    const decrease = { operator_id: scene.adaId, user_id: SELF }
    const [own, others] = await scene.both()
    expect(own).toEqual(each([scene.group, quay.group], notice('group_decrease', { sub_type, ...decrease })))
    expect(others).toMatchObject([
      notice('group_decrease', { sub_type: 'kick', group_id: scene.group, ...decrease }),
      { post_type: 'message', raw_message: 'gone?' },
    ])
    expect(await scene.robo.get('get_group_list')).toEqual([])
    expect(await scene.why('send_group_msg', { group_id: scene.group, message: 'x' })).toBe('1200 GROUP_NOT_FOUND')
  })

  it('is told of silence in seconds, and of its end before its time', async () => {
    const { scene, inAll, bo } = await start()
    await scene.http(scene.ada, 'POST', `${bo}/timeout`, { duration_minutes: 10 })
    const ban = { operator_id: scene.adaId, user_id: scene.boId }
    expect(await scene.both()).toEqual(inAll(notice('group_ban', { sub_type: 'ban', duration: 600, ...ban })))
    await scene.http(scene.ada, 'DELETE', `${bo}/timeout`)
    expect(await scene.both()).toEqual(inAll(notice('group_ban', { sub_type: 'lift_ban', duration: 0, ...ban })))
    // There is nothing to lift any more.
    await scene.http(scene.ada, 'DELETE', `${bo}/timeout`)
    expect(await scene.both()).toEqual([[], []])
  })

  it('is told of cards, with the one before; none is empty', async () => {
    const { scene, inAll, bo } = await start()
    const rename = async (nickname: string | null): Promise<Json[][]> => {
      await scene.http(scene.bo, 'PATCH', bo, { nickname })
      return scene.both()
    }
    const card = (card_old: string, card_new: string) =>
      inAll(notice('group_card', { user_id: scene.boId, card_old, card_new }))
    expect(await rename('host')).toEqual(card('', 'host'))
    expect(await rename('night shift')).toEqual(card('host', 'night shift'))
    expect(await rename('night shift')).toEqual([[], []])
    expect(await rename(null)).toEqual(card('night shift', ''))
  })

  it.each([
    ['ADMINISTRATOR', ADMINISTRATOR, true],
    ['MANAGE_MESSAGES', MANAGE_MESSAGES, true],
    ['MANAGE_CHANNELS', MANAGE_CHANNELS, true],
    ['MANAGE_ROLES', MANAGE_ROLES, true],
    ['MANAGE_SERVER', MANAGE_SERVER, true],
    ['KICK_MEMBERS | SPEAK', KICK_MEMBERS | SPEAK, false],
  ])('is told of who gets or loses a role with %s: an admin is %o', async (_name, permissions, isAdmin) => {
    const { scene, inAll, bo } = await start()
    const role = await scene.giveRole(scene.bo.id, permissions)
    const told = (sub_type: string): Json[][] => {
      const all = inAll(notice('group_admin', { sub_type, user_id: scene.boId }))
      // An administrator sees everything, others what they saw before.
      return isAdmin ? all : [[], []]
    }
    expect(await scene.both()).toEqual(told('set'))
    await scene.http(scene.ada, 'DELETE', `${bo}/roles/${role}`)
    expect(await scene.both()).toEqual(told('unset'))
  })

  it('is told once of who is an admin by two roles, and when neither makes one any more', async () => {
    const { scene, inAll, bo } = await start()
    const first = await scene.giveRole(scene.bo.id, MANAGE_MESSAGES)
    const second = await scene.giveRole(scene.bo.id, MANAGE_SERVER)
    const admin = (sub_type: string) => inAll(notice('group_admin', { sub_type, user_id: scene.boId }))
    expect(await scene.both()).toEqual(admin('set'))
    await scene.http(scene.ada, 'DELETE', `${bo}/roles/${first}`)
    expect(await scene.both()).toEqual([[], []])
    const path = `/servers/${scene.server}/roles/${second}`
    await scene.http(scene.ada, 'PATCH', path, { permissions: SPEAK })
    expect(await scene.both()).toEqual(admin('unset'))
    await scene.http(scene.ada, 'PATCH', path, { permissions: MANAGE_SERVER })
    expect(await scene.both()).toEqual(admin('set'))
    await scene.http(scene.ada, 'DELETE', path)
    expect(await scene.both()).toEqual(admin('unset'))
  })

  it('is told to a bot of itself, too', async () => {
    const { scene } = await start(0)
    const robo = await scene.bots.userOf('robo')
    await scene.giveRole(robo, MANAGE_MESSAGES)
    const admin = notice('group_admin', { sub_type: 'set', user_id: SELF, group_id: scene.group })
    const [own, others] = await scene.both()
    expect(own).toContainEqual(admin)
    expect(others).toEqual([admin])
  })

  it('is told of titles', async () => {
    const { scene, inAll } = await start()
    const { changes, members } = scene.bots.world
    for (const title of ['barista', null]) {
      await changes.run(() => members.entitle(scene.ada.id, scene.server, scene.bo.id, title, null))
      const told = notice('notify', { sub_type: 'title', user_id: scene.boId, title: title ?? '' })
      expect(await scene.both()).toEqual(inAll(told))
    }
  })

  it('in another server is not told', async () => {
    const { scene } = await start()
    const server = idOf(await scene.http(scene.ada, 'POST', '/servers', { name: 'Elsewhere', is_public: true }))
    await scene.bots.gateway.channel(scene.ada, server)
    await scene.http(scene.bo, 'POST', `/servers/${server}/join`)
    const bo = `/servers/${server}/members/${scene.bo.id}`
    await scene.http(scene.bo, 'PATCH', bo, { nickname: 'host' })
    await scene.http(scene.ada, 'POST', `${bo}/timeout`, { duration_minutes: 1 })
    await scene.http(scene.ada, 'POST', `${bo}/kick`, {})
    await scene.http(scene.ada, 'DELETE', `/servers/${server}`)
    expect(await scene.both()).toEqual([[], []])
  })
})

describe('what happens to groups', () => {
  it('is told of names, in the group that has one', async () => {
    const { scene, quay } = await start()
    const rename = (channel: string, name: string) =>
      scene.http(scene.ada, 'PATCH', `/servers/${scene.server}/channels/${channel}`, { name })
    await rename(quay.id, 'Tea & cake')
    await rename(scene.channel, 'Tea room')
    // The same name, or something else that changes, is none.
    await rename(scene.channel, 'Tea room')
    await scene.http(scene.ada, 'PATCH', `/servers/${scene.server}/channels/${scene.channel}`, { topic: 'tea' })
    await scene.http(scene.ada, 'PATCH', `/servers/${scene.server}`, { name: 'Bay' })
    const name = (group_id: number, name_new: string): Json =>
      notice('notify', { sub_type: 'group_name', group_id, user_id: scene.adaId, name_new })
    expect(await scene.both()).toEqual([
      [name(quay.group, 'Tea & cake'), name(scene.group, 'Tea room')],
      [name(scene.group, 'Tea room')],
    ])
    await scene.say(scene.bo, 'tea')
    expect(await scene.told(scene.robo)).toMatchObject([{ group_name: 'Tea room' }])
  })

  it('onebot trap 23: is told when nobody speaks any more, and when all do again', async () => {
    const { scene } = await start()
    const { overrides, changes } = scene.bots.world
    for (const shut of [true, true, false]) {
      await changes.run(() => overrides.shut(scene.ada.id, scene.channel, shut))
    }
    const ban = { group_id: scene.group, operator_id: scene.adaId, user_id: 0 }
    expect(await scene.both()).toEqual(
      both(
        notice('group_ban', { sub_type: 'ban', duration: -1, ...ban }),
        notice('group_ban', { sub_type: 'lift_ban', duration: 0, ...ban }),
      ),
    )
  })

  it('is told of the end of one, and of all with their server', async () => {
    const { scene, quay } = await start()
    await scene.http(scene.ada, 'DELETE', `/servers/${scene.server}/channels/${quay.id}`)
    const disband = (group_id: number, user_id: number): Json =>
      notice('group_decrease', { sub_type: 'disband', group_id, operator_id: 0, user_id })
    expect(await scene.both()).toEqual([[disband(quay.group, SELF)], []])
    const bay = await scene.makeChannel('bay')
    await scene.forget()
    await scene.http(scene.ada, 'DELETE', `/servers/${scene.server}`)
    expect(await scene.both()).toEqual(
      [SELF, scene.mateId].map((id) => [disband(scene.group, id), disband(bay.group, id)]),
    )
    expect(await scene.robo.get('get_group_list')).toEqual([])
  })
})
