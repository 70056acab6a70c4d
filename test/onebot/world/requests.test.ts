import { describe, expect, it } from 'vitest'
import { CREATE_INVITES } from '../../../lib/chat/permissions.ts'
import { field, idOf, type Person } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { type Json, notice, Scene } from '../../support/onebot-scene.ts'

/** Robo may let others in; nobody comes in without that. */
async function start(power = CREATE_INVITES) {
  const scene = await Scene.start('node', { power })
  await scene.http(scene.ada, 'PATCH', `/servers/${scene.server}`, { require_invite: true })
  const dov = await scene.bots.gateway.person('dov')
  const robo = await scene.bots.userOf('robo')
  return { scene, dov, robo }
}

/** What bots call requests, by what they say. */
const flags = (scene: Scene): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const event of [...scene.robo.events, ...scene.mate.events]) {
    const { request_type: type, flag, comment } = event
    if (type !== undefined) found.set(String(comment), String(flag))
  }
  return found
}

/** A request without what all have, and its flag, which is a text of its own. */
const asked = (type: 'friend' | 'group', fields: Json): Json => ({
  post_type: 'request',
  request_type: type,
  ...fields,
})
const withoutFlags = (all: readonly (readonly Json[])[]): Json[][] =>
  all.map((events) =>
    events.map(({ flag, ...event }) => {
      if ('request_type' in event) {
        expect(typeof flag).toBe('string')
        expect(String(flag)).not.toBe('')
      }
      return event
    }),
  )

const askToJoin = (scene: Scene, who: Person, comment?: string) =>
  scene.http(who, 'POST', `/servers/${scene.server}/join-requests`, comment === undefined ? {} : { comment })

describe('a request to be friends', () => {
  it('is told to the bot that is asked; what people answer each other is not', async () => {
    const { scene, dov, robo } = await start()
    await scene.http(dov, 'POST', '/friend-requests', { user_id: robo, comment: 'it is me' })
    await scene.http(dov, 'POST', '/friend-requests', { user_id: scene.bo.id, comment: 'and me' })
    const request = asked('friend', { user_id: scene.num(dov), comment: 'it is me' })
    expect(withoutFlags(await scene.both())).toEqual([[request], []])
    // Without a word.
    await scene.http(scene.bo, 'POST', '/friend-requests', { user_id: robo })
    expect(withoutFlags(await scene.both())).toEqual([[asked('friend', { user_id: scene.boId, comment: '' })], []])
  })

  it('that the bot has made is told when it is accepted', async () => {
    const { scene, dov, robo } = await start()
    const { friends, changes } = scene.bots.world
    const { id } = await changes.run(() => friends.ask(robo, dov.id, 'hello'))
    expect(await scene.both()).toEqual([[], []])
    await scene.http(dov, 'POST', `/friend-requests/${id}/accept`)
    expect(await scene.both()).toEqual([[notice('friend_add', { user_id: scene.num(dov) })], []])
    expect(await scene.robo.get('get_friend_list')).toMatchObject([{ user_id: scene.num(dov), nickname: 'dov' }])
  })

  it('is of no account once it is withdrawn by writing first', async () => {
    const { scene, dov, robo } = await start()
    await scene.http(dov, 'POST', '/friend-requests', { user_id: robo, comment: 'it is me' })
    await scene.http(dov, 'POST', '/dm-channels', { user_id: robo })
    const request = asked('friend', { user_id: scene.num(dov), comment: 'it is me' })
    expect(withoutFlags(await scene.both())).toEqual([[request, notice('friend_add', { user_id: scene.num(dov) })], []])
    // Who are friends do not become friends again.
    const flag = flags(scene).get('it is me')
    expect(await scene.why('set_friend_add_request', { flag })).toBe('ok')
    expect(await scene.both()).toEqual([[], []])
  })
})

describe('a request to come in', () => {
  it('is told once, in the first group, to the bots that may let in', async () => {
    const { scene, dov } = await start()
    await scene.makeChannel('quay')
    await scene.forget()
    await askToJoin(scene, dov, 'let me in')
    const request = asked('group', {
      sub_type: 'add',
      group_id: scene.group,
      user_id: scene.num(dov),
      comment: 'let me in',
    })
    expect(withoutFlags(await scene.both())).toEqual([[request], []])
    await scene.giveRole(await scene.bots.userOf('mate'), CREATE_INVITES)
    await scene.forget()
    const eve = await scene.bots.gateway.person('eve')
    await askToJoin(scene, eve)
    const all = await scene.both()
    const again = asked('group', { sub_type: 'add', group_id: scene.group, user_id: scene.num(eve), comment: '' })
    expect(withoutFlags(all)).toEqual([[again], [again]])
    expect(all[0]?.[0]?.['flag']).toBe(all[1]?.[0]?.['flag'])
  })

  it('that a person accepts is somebody who comes, by them', async () => {
    const { scene, dov } = await start()
    const id = idOf(await askToJoin(scene, dov, 'let me in'))
    await scene.forget()
    await scene.http(scene.ada, 'POST', `/servers/${scene.server}/join-requests/${id}/accept`)
    const come = notice('group_increase', {
      sub_type: 'approve',
      group_id: scene.group,
      operator_id: scene.adaId,
      user_id: scene.num(dov),
    })
    expect(await scene.both()).toEqual([[come], [come]])
    const flag = flags(scene).get('let me in')
    expect(await scene.why('set_group_add_request', { flag, sub_type: 'add' })).toBe('1200 FLAG_HAS_BEEN_CHECKED')
  })
})

describe('an invitation of a bot', () => {
  const invite = async (scene: Scene, robo: string, comment: string) => {
    const server = idOf(await scene.http(scene.ada, 'POST', '/servers', { name: 'Bay' }))
    const channel = await scene.bots.gateway.channel(scene.ada, server)
    const group = scene.bots.world.channels.find(channel)?.num ?? 0
    const request = await scene.http(scene.ada, 'POST', `/servers/${server}/invitations`, { user_id: robo, comment })
    return { server, group, id: idOf(request) }
  }

  it('is told to it with the group that it would come into', async () => {
    const { scene, robo } = await start()
    const { group } = await invite(scene, robo, 'come over')
    const request = asked('group', {
      sub_type: 'invite',
      group_id: group,
      user_id: scene.adaId,
      comment: 'come over',
    })
    expect(withoutFlags(await scene.both())).toEqual([[request], []])
    expect(await scene.why('get_group_info', { group_id: group })).toBe('1200 GROUP_NOT_FOUND')
  })

  it('that it accepts brings it in, as one who was invited', async () => {
    const { scene, robo } = await start()
    const { group, server } = await invite(scene, robo, 'come over')
    await scene.forget()
    await scene.robo.get('set_group_add_request', { flag: flags(scene).get('come over'), sub_type: 'invite' })
    const come = { sub_type: 'invite', group_id: group, operator_id: scene.adaId, user_id: SELF }
    expect(await scene.both()).toEqual([[notice('group_increase', come)], []])
    const { body } = await scene.bots.gateway.request('GET', `/servers/${server}/members`, scene.ada)
    expect(Array.isArray(body) ? body.map((one) => field(one, 'username')) : body).toEqual(['ada', 'robo'])
  })

  it('into a server without a group is told, too', async () => {
    const { scene, robo } = await start()
    const server = idOf(await scene.http(scene.ada, 'POST', '/servers', { name: 'Bay' }))
    await scene.http(scene.ada, 'POST', `/servers/${server}/invitations`, { user_id: robo, comment: 'come' })
    expect(withoutFlags(await scene.both())).toMatchObject([[{ post_type: 'request', sub_type: 'invite' }], []])
  })
})
