import { describe, expect, it } from 'vitest'
import { EVENTS, type EventName, type Heard } from '../../lib/gateway/events.ts'
import { type Client, field, Gateway, idOf, type Person, pinged, type Reply } from '../support/gateway.ts'
import { engines } from '../support/server.ts'

/*
 * Each event that there is, caused over HTTP or the socket; who hears it is what its row says: on each connection once, and on no
 * other at all.
 */

const [VIEW, CREATE_INVITES] = [1, 16_384]
const NAMES = ['ada', 'brin', 'cleo', 'eve', 'hal', 'dov'] as const
type Name = (typeof NAMES)[number]

/** Who hears what brin does, or what is done to eve. Hal may not see the channels, cleo may invite, dov is elsewhere. */
const HEARING: Readonly<Record<Heard, readonly Name[]>> = {
  one: [],
  server: ['ada', 'brin', 'cleo', 'eve', 'hal'],
  leaving: ['ada', 'brin', 'cleo', 'eve', 'hal'],
  viewers: ['ada', 'brin', 'cleo', 'eve'],
  others: ['ada', 'cleo', 'eve'],
  around: ['ada', 'brin', 'cleo', 'eve'],
  inviters: ['ada', 'cleo'],
  peers: ['ada', 'brin', 'cleo', 'eve', 'hal'],
  sides: ['ada', 'brin'],
  user: ['ada'],
}

class Place {
  readonly gateway: Gateway
  readonly people: Readonly<Record<Name, Person>>
  readonly server: string
  readonly channel: string
  readonly voice: string
  /** Two of each. */
  readonly clients: Readonly<Record<Name, readonly Client[]>>

  private constructor(
    gateway: Gateway,
    people: Readonly<Record<Name, Person>>,
    ids: Readonly<Record<'server' | 'channel' | 'voice', string>>,
    clients: Readonly<Record<Name, readonly Client[]>>,
  ) {
    this.gateway = gateway
    this.people = people
    this.server = ids.server
    this.channel = ids.channel
    this.voice = ids.voice
    this.clients = clients
  }

  static async make(engine: (typeof engines)[number]): Promise<Place> {
    const gateway = await Gateway.start(engine)
    const person = (name: Name): Promise<Person> => gateway.person(name)
    const people = {
      ada: await person('ada'),
      brin: await person('brin'),
      cleo: await person('cleo'),
      eve: await person('eve'),
      hal: await person('hal'),
      dov: await person('dov'),
    }
    const { ada, brin, cleo, eve, hal, dov } = people
    const { id: server, channel } = await gateway.server(ada, brin, cleo, eve, hal)
    await gateway.server(dov)
    const { world } = gateway
    const draft = { name: 'bridge', type: 'voice', topic: null, category: null } as const
    const { id: voice } = await world.changes.run(() => world.channels.create(ada.id, server, draft))
    for (const one of [channel, voice]) await gateway.override(ada, one, { userId: hal.id }, 0, VIEW)
    await world.changes.run(() => {
      const role = { name: 'Host', permissions: CREATE_INVITES, color: null, position: null }
      world.roles.give(ada.id, server, cleo.id, world.roles.create(ada.id, server, role).id)
    })
    const two = async (who: Person): Promise<Client[]> => [await gateway.connect(who), await gateway.connect(who)]
    const clients = {
      ada: await two(ada),
      brin: await two(brin),
      cleo: await two(cleo),
      eve: await two(eve),
      hal: await two(hal),
      dov: await two(dov),
    }
    return new Place(gateway, people, { server, channel, voice }, clients)
  }

  async ask(method: string, path: string, as: Name, body?: unknown): Promise<Reply> {
    const reply = await this.gateway.request(method, path, this.people[as], body)
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`)
    return reply
  }

  async post(as: Name): Promise<string> {
    return idOf((await this.ask('POST', `/channels/${this.channel}/messages`, as, { content: 'fog' })).body)
  }

  /** Of something that is made below the server; its path. */
  async make(kind: string, body: object): Promise<string> {
    const path = `/servers/${this.server}/${kind}`
    return `${path}/${idOf((await this.ask('POST', path, 'ada', body)).body)}`
  }

  /** A member's place in the server. */
  member(name: Name, act: string): string {
    return `/servers/${this.server}/members/${this.people[name].id}/${act}`
  }

  async emoji(): Promise<string> {
    const form = new FormData()
    form.set('name', 'buoy')
    form.set('image', new Blob([Buffer.from('GIF89a')]), 'x.gif')
    const path = `/servers/${this.server}/emojis`
    const headers = { Authorization: `Bearer ${this.people.ada.token}` }
    const url = `http://127.0.0.1:${this.gateway.port}${path}`
    const reply = await fetch(url, { method: 'POST', headers, body: form })
    return `${path}/${idOf(await reply.json())}`
  }

  async op(as: Name, op: string, d: object): Promise<void> {
    const [client] = this.clients[as]
    if (client === undefined) throw new Error('nobody says it')
    client.send({ op, d })
    await pinged(client)
    // What it changes is written later in the turn.
    await this.gateway.world.changes.run(() => {})
  }

  /** How often each connection has got an event since the last look. */
  async count(event: EventName): Promise<Record<string, number[]>> {
    const got = NAMES.map(async (name): Promise<[Name, number[]]> => {
      const types = await this.gateway.got(...this.clients[name])
      return [name, types.map((all) => all.filter((type) => type === event).length)]
    })
    return Object.fromEntries(await Promise.all(got))
  }
}

/** What has to be there before, and then what causes the event. */
type Scenario = (place: Place) => Promise<() => Promise<unknown>>

const SCENARIOS: Readonly<Record<EventName, Scenario>> = {
  READY: async (p) => async () => {
    const more = await p.gateway.connect(p.people.brin)
    expect(await more.settle()).toEqual([])
  },
  RESUMED: async (p) => {
    const before = await p.gateway.connect(`token=${p.people.brin.token}&resume=1`)
    const session = String(field(before.frames[0]?.d, 'session_id'))
    return async () => {
      const after = p.gateway.open(`token=${p.people.brin.token}&resume=${session}&seq=${before.frames[0]?.s}`)
      await after.next('RESUMED')
    }
  },
  MESSAGE_CREATE: async (p) => () => p.post('brin'),
  MESSAGE_UPDATE: async (p) => {
    const id = await p.post('brin')
    return () => p.ask('PATCH', `/messages/${id}`, 'brin', { content: 'fog at seven' })
  },
  MESSAGE_DELETE: async (p) => {
    const id = await p.post('brin')
    return () => p.ask('DELETE', `/messages/${id}`, 'brin')
  },
  THREAD_MESSAGE_CREATE: async (p) => {
    const path = `/channels/${p.channel}/messages/${await p.post('ada')}/thread`
    return () => p.ask('POST', path, 'brin', { content: 'radar agrees' })
  },
  REACTION_ADD: async (p) => {
    const path = `/channels/${p.channel}/messages/${await p.post('ada')}/reactions/%E2%9A%93`
    return () => p.ask('PUT', path, 'brin')
  },
  REACTION_REMOVE: async (p) => {
    const path = `/channels/${p.channel}/messages/${await p.post('ada')}/reactions/%E2%9A%93`
    await p.ask('PUT', path, 'brin')
    return () => p.ask('DELETE', path, 'brin')
  },
  MESSAGE_PIN: async (p) => {
    const path = `/channels/${p.channel}/messages/${await p.post('ada')}/pin`
    return () => p.ask('POST', path, 'ada')
  },
  MESSAGE_UNPIN: async (p) => {
    const path = `/channels/${p.channel}/messages/${await p.post('ada')}/pin`
    await p.ask('POST', path, 'ada')
    return () => p.ask('DELETE', path, 'ada')
  },
  POLL_VOTE: async (p) => {
    const ask = { question: 'Sail on Sunday?', options: ['yes', 'no'] }
    const { body } = await p.ask('POST', `/channels/${p.channel}/polls`, 'ada', ask)
    const vote = { option_id: field(body, 'poll', 'options', 0, 'id') }
    return () => p.ask('POST', `/polls/${String(field(body, 'poll', 'id'))}/vote`, 'brin', vote)
  },
  TYPING_START: async (p) => () => p.op('brin', 'TYPING_START', { channel_id: p.channel }),
  PRESENCE_UPDATE: async (p) => () => p.op('brin', 'PRESENCE_UPDATE', { status: 'dnd' }),
  VOICE_STATE_UPDATE: async (p) => () => p.ask('POST', `/channels/${p.voice}/voice`, 'brin'),
  VOICE_SIGNAL: async (p) => {
    for (const name of ['ada', 'brin'] as const) await p.ask('POST', `/channels/${p.voice}/voice`, name)
    return () => p.op('brin', 'VOICE_SIGNAL', { to_user_id: p.people.ada.id, type: 'offer', sdp: 'v=0' })
  },
  GO_LIVE_START: async (p) => {
    await p.ask('POST', `/channels/${p.voice}/voice`, 'brin')
    return () => p.ask('POST', `/channels/${p.voice}/go-live`, 'brin', {})
  },
  GO_LIVE_STOP: async (p) => {
    await p.ask('POST', `/channels/${p.voice}/voice`, 'brin')
    await p.ask('POST', `/channels/${p.voice}/go-live`, 'brin', {})
    return () => p.ask('DELETE', `/channels/${p.voice}/go-live`, 'ada')
  },
  MEMBER_KICK: async (p) => () => p.ask('POST', p.member('eve', 'kick'), 'ada', {}),
  MEMBER_BAN: async (p) => () => p.ask('POST', p.member('eve', 'ban'), 'ada', {}),
  MEMBER_UNBAN: async (p) => {
    await p.ask('POST', p.member('dov', 'ban'), 'ada', {})
    return () => p.ask('DELETE', `/servers/${p.server}/bans/${p.people.dov.id}`, 'ada')
  },
  MEMBER_TIMEOUT: async (p) => () => p.ask('POST', p.member('eve', 'timeout'), 'ada', { duration_minutes: 5 }),
  MEMBER_TIMEOUT_REMOVE: async (p) => {
    await p.ask('POST', p.member('eve', 'timeout'), 'ada', { duration_minutes: 5 })
    return () => p.ask('DELETE', p.member('eve', 'timeout'), 'ada')
  },
  MEMBER_ROLE_ADD: async (p) => {
    const role = (await p.make('roles', { name: 'Pilot' })).split('/').at(-1)
    return () => p.ask('PUT', p.member('eve', `roles/${role}`), 'ada')
  },
  MEMBER_ROLE_REMOVE: async (p) => {
    const path = p.member('eve', `roles/${(await p.make('roles', { name: 'Pilot' })).split('/').at(-1)}`)
    await p.ask('PUT', path, 'ada')
    return () => p.ask('DELETE', path, 'ada')
  },
  ROLE_CREATE: async (p) => () => p.make('roles', { name: 'Pilot' }),
  ROLE_UPDATE: async (p) => {
    const path = await p.make('roles', { name: 'Pilot' })
    return () => p.ask('PATCH', path, 'ada', { name: 'Chief' })
  },
  ROLE_DELETE: async (p) => {
    const path = await p.make('roles', { name: 'Pilot' })
    return () => p.ask('DELETE', path, 'ada')
  },
  CHANNEL_OVERRIDE_UPDATE: async (p) => () =>
    p.ask('PUT', `/channels/${p.channel}/overrides`, 'ada', { user_id: p.people.brin.id, allow: 0, deny: VIEW }),
  CHANNEL_OVERRIDE_DELETE: async (p) => {
    const path = `/channels/${p.channel}/overrides`
    const { body } = await p.ask('PUT', path, 'ada', { user_id: p.people.brin.id, allow: 0, deny: 2 })
    return () => p.ask('DELETE', `${path}/${idOf(body)}`, 'ada')
  },
  INVITE_CREATE: async (p) => () => p.make('invites', {}),
  INVITE_DELETE: async (p) => {
    const path = await p.make('invites', {})
    return () => p.ask('DELETE', path, 'cleo')
  },
  CUSTOM_EMOJI_CREATE: async (p) => () => p.emoji(),
  CUSTOM_EMOJI_DELETE: async (p) => {
    const path = await p.emoji()
    return () => p.ask('DELETE', path, 'ada')
  },
  DM_CHANNEL_CREATE: async (p) => () => p.ask('POST', '/dm-channels', 'brin', { user_id: p.people.ada.id }),
  DM_MESSAGE_CREATE: async (p) => {
    const { body } = await p.ask('POST', '/dm-channels', 'brin', { user_id: p.people.ada.id })
    return () => p.ask('POST', `/dm-channels/${idOf(body)}/messages`, 'brin', { content: 'fog' })
  },
  DM_MESSAGE_DELETE: async (p) => {
    const { body } = await p.ask('POST', '/dm-channels', 'brin', { user_id: p.people.ada.id })
    const path = `/dm-channels/${idOf(body)}/messages`
    const said = await p.ask('POST', path, 'brin', { content: 'fog' })
    return () => p.ask('DELETE', `${path}/${idOf(said.body)}`, 'brin')
  },
}

const isEvent = (name: string): name is EventName => Object.hasOwn(EVENTS, name)
const cases = Object.keys(EVENTS)
  .filter(isEvent)
  .map((name) => ({ name, heard: EVENTS[name].heard }))

describe.each(engines)('every event, on %s', (engine) => {
  it.each(cases)('$name is heard by: $heard', async ({ name, heard }) => {
    const place = await Place.make(engine)
    const act = await SCENARIOS[name](place)
    await place.count(name)
    await act()
    const expected = Object.fromEntries(NAMES.map((one) => [one, HEARING[heard].includes(one) ? [1, 1] : [0, 0]]))
    expect(await place.count(name)).toEqual(expected)
  })
})
