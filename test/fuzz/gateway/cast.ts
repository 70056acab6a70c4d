import { hashToken, makeBotToken } from '../../../lib/gateway/tokens.ts'
import { must } from '../target.ts'
import { addChannel, addDirect, addServer, addUser, change, GIF, hide } from './house.ts'
import type { LiveGateway } from './host.ts'

/** Whose token a request has, and what becomes of it. */
export const CALLERS = ['owner', 'member', 'outsider', 'bot', 'botJwt'] as const
export type Caller = (typeof CALLERS)[number]

export const UNKNOWN = '01890000-0000-7000-8000-000000000000'

/** Things of each kind: the first is what a call that should go well names. */
export const KINDS = {
  'servers': ['server', 'foreignServer', 'public'],
  'channels': ['channel', 'hidden', 'voice', 'foreignChannel'],
  'messages': ['message', 'memberMessage', 'hiddenMessage', 'foreignMessage', 'deletedMessage'],
  'dm-channels': ['direct', 'foreignDirect'],
  'bots': ['botId', 'foreignBot'],
  'users': ['owner', 'member', 'outsider', 'disabled'],
  'roles': ['role', 'foreignRole'],
  'overrides': ['override', 'foreignOverride'],
  'polls': ['poll', 'hiddenPoll', 'foreignPoll'],
  'options': ['option', 'foreignOption'],
  'reactions': ['reaction'],
  'invites': ['invite', 'foreignInvite'],
  'codes': ['code', 'foreignCode', 'usedCode'],
  'emojis': ['customEmoji', 'foreignEmoji'],
  'portraits': ['portrait'],
  'friend-requests': ['friendRequest', 'foreignFriendRequest'],
  'requests': ['joinRequest', 'invitation', 'friendRequest', 'foreignFriendRequest'],
} as const

/** What does not exist for somebody. A bot is a member, as far as servers go. */
const HIDDEN = ['hidden', 'hiddenMessage', 'hiddenPoll', 'override', 'friendRequest'] as const
const FOREIGN = [
  'foreignServer',
  'foreignChannel',
  'foreignMessage',
  'foreignDirect',
  'foreignBot',
  'foreignRole',
  'foreignOverride',
  'foreignPoll',
  'foreignFriendRequest',
  'disabled',
] as const
const OWN = [
  'server',
  'channel',
  'voice',
  'message',
  'memberMessage',
  'deletedMessage',
  'direct',
  'directMessage',
  'poll',
] as const
export const INVISIBLE: Readonly<Record<Caller, ReadonlySet<string>>> = {
  owner: new Set(FOREIGN),
  member: new Set([...FOREIGN, ...HIDDEN, 'botId']),
  outsider: new Set([...OWN, ...HIDDEN, 'botId', 'role', 'disabled']),
  bot: new Set([...FOREIGN, ...HIDDEN, 'direct', 'directMessage', 'botId']),
  botJwt: new Set([...FOREIGN, ...HIDDEN, 'direct', 'directMessage', 'botId']),
}

interface Account {
  readonly id: string
  readonly email: string
  session: string
  access: string
  refresh: string
}

let serial = 0

/** Renewals of one cast. */
const MOST = 40

/** A bot that can always be used. */
class Robot {
  readonly #gateway: LiveGateway
  readonly #creator: string
  id = ''
  userId = ''
  token = ''

  constructor(gateway: LiveGateway, creator: string) {
    this.#gateway = gateway
    this.#creator = creator
  }

  /** Another one where it is of no use any more; it leaves all servers. */
  renew(): void {
    const { world } = this.#gateway
    if (world.bots.findByToken(hashToken(this.token)) === null) {
      this.token = makeBotToken()
      for (const { id, revoked_at } of world.bots.madeBy(this.#creator)) {
        if (revoked_at === null) change(world, () => world.bots.revoke(this.#creator, id))
      }
      const made = change(world, () => world.bots.create(this.#creator, 'helper', null, hashToken(this.token)))
      this.id = made.id
      this.userId = made.user_id
    }
    for (const { id, owner_id } of world.servers.of(this.userId)) {
      change(world, () =>
        owner_id === this.userId ? world.servers.remove(this.userId, id) : world.servers.leave(this.userId, id),
      )
    }
  }

  /** A token that ends by itself. */
  jwt(): string {
    const { world, tokens } = this.#gateway
    const bot = world.bots.findByToken(hashToken(this.token))
    const user = bot === null ? null : world.users.find(bot.user_id)
    must(bot !== null && user !== null, 'the bot is gone')
    return tokens.forBot(user, bot)
  }
}

/** Two people in a server, one outside, a bot, and what belongs to them: each lane has its own, made anew when it has changed. */
export class Cast {
  readonly #gateway: LiveGateway
  readonly #people: Readonly<Record<'owner' | 'member' | 'outsider' | 'disabled', Account>>
  /** What the names stand for. */
  readonly things = new Map<string, string>()
  /** What no answer may hold, and for whom it may. */
  readonly secrets = new Map<string, Caller | null>()
  /** Somebody whom only the outsider knows. */
  readonly #stranger: string
  readonly #bots: Readonly<Record<'owner' | 'outsider', Robot>>
  #renewals = 0

  constructor(gateway: LiveGateway) {
    this.#gateway = gateway
    const add = (name: string): Account => {
      const username = `${name}_${++serial}`
      const email = `${username}@secret.test`
      const id = addUser(gateway.world, username, email)
      return { id, email, ...gateway.login(id) }
    }
    this.#people = { owner: add('owner'), member: add('member'), outsider: add('outsider'), disabled: add('gone') }
    change(gateway.world, () => gateway.world.users.disable(this.#people.disabled.id))
    this.#stranger = addUser(gateway.world, `stranger_${++serial}`)
    this.#bots = {
      owner: new Robot(gateway, this.#people.owner.id),
      outsider: new Robot(gateway, this.#people.outsider.id),
    }
    this.renew()
  }

  /** What they have made, and is not wanted any more, is listed for ever: others take their place. */
  get isWorn(): boolean {
    return this.#renewals > MOST
  }

  /** Nobody of them comes back: nothing is to be kept of them. */
  leave(): void {
    const { world } = this.#gateway
    const people = Object.values(this.#people).map(({ id }) => id)
    const bots = Object.values(this.#bots).map(({ userId }) => userId)
    change(world, () => [...people, ...bots, this.#stranger].forEach((id) => world.users.disable(id)))
  }

  /** All but the people is made again. */
  renew(): void {
    change(this.#gateway.world, () => this.#make())
    this.#renewals++
  }

  #make(): void {
    const { world } = this.#gateway
    const { owner, member, outsider, disabled } = this.#people
    for (const person of [owner, member, outsider]) this.#clear(person)
    const server = addServer(world, owner.id, false, member.id)
    const foreignServer = addServer(world, outsider.id, false)
    const channel = addChannel(world, owner.id, server)
    const hidden = addChannel(world, owner.id, server)
    const foreignChannel = addChannel(world, outsider.id, foreignServer)
    this.#bots.owner.renew()
    this.#bots.outsider.renew()
    change(world, () => world.servers.admit(this.#bots.owner.userId, server))
    const direct = addDirect(world, owner.id, member.id)
    const post = (author: string, where: string): string =>
      world.messages.post(author, where, { content: 'fog', replyTo: null }).id
    const deletedMessage = post(owner.id, channel)
    change(world, () => world.messages.remove(owner.id, deletedMessage))
    const ask = { question: 'Sail?', options: ['yes', 'no'] }
    const poll = (by: string, where: string) => {
      const made = world.messages.ask(by, where, ask).poll
      must(made !== null, 'a question has a poll')
      return made
    }
    const [own, foreign] = [poll(owner.id, channel), poll(outsider.id, foreignChannel)]
    const portraitOf = (user: string): string => {
      world.portraits.setOfUser(user, GIF)
      return world.users.find(user)?.avatar_file ?? ''
    }
    const emoji = (by: string, where: string): string => world.emojis.create(by, where, `e${++serial}`, GIF).id
    const [invite, foreignInvite] = [
      world.invites.create(owner.id, server, null, null),
      world.invites.create(outsider.id, foreignServer, null, null),
    ]
    const used = world.invites.create(owner.id, server, 1, null)
    const open = addServer(world, owner.id, true)
    const guarded = addServer(world, owner.id, true)
    world.servers.change(owner.id, guarded, { require_invite: 1 })
    const role = (by: string, where: string): string => {
      const draft = { name: 'Pilot', permissions: 4, color: null, position: 1 }
      return change(world, () => world.roles.create(by, where, draft)).id
    }
    const things = {
      server,
      foreignServer,
      public: open,
      channel,
      hidden,
      voice: addChannel(world, owner.id, server, 'voice'),
      foreignChannel,
      message: post(owner.id, channel),
      memberMessage: post(member.id, channel),
      hiddenMessage: post(owner.id, hidden),
      foreignMessage: post(outsider.id, foreignChannel),
      deletedMessage,
      direct,
      directMessage: change(world, () => world.directs.post(owner.id, direct, { content: 'tides' })).id,
      foreignDirect: addDirect(world, outsider.id, this.#stranger),
      botId: this.#bots.owner.id,
      foreignBot: this.#bots.outsider.id,
      owner: owner.id,
      member: member.id,
      outsider: outsider.id,
      disabled: disabled.id,
      role: role(owner.id, server),
      foreignRole: role(outsider.id, foreignServer),
      override: hide(world, owner.id, hidden),
      foreignOverride: hide(world, outsider.id, foreignChannel),
      poll: own.id,
      option: own.options[0]?.id ?? '',
      hiddenPoll: poll(owner.id, hidden).id,
      foreignPoll: foreign.id,
      foreignOption: foreign.options[0]?.id ?? '',
      reaction: '⚓',
      invite: invite.id,
      code: invite.code,
      foreignInvite: foreignInvite.id,
      foreignCode: foreignInvite.code,
      usedCode: used.code,
      customEmoji: emoji(owner.id, server),
      portrait: portraitOf(owner.id),
      foreignEmoji: emoji(outsider.id, foreignServer),
      guarded,
      joinRequest: world.arrivals.askToJoin(outsider.id, guarded, '').id,
      invitation: world.arrivals.invite(owner.id, open, outsider.id, '').id,
      friendRequest: this.#ask(this.#stranger, owner.id),
      foreignFriendRequest: this.#ask(this.#stranger, outsider.id),
      unknown: UNKNOWN,
      refresh: owner.refresh,
    }
    this.things.clear()
    for (const [name, value] of Object.entries(things)) this.things.set(name, value)
    this.#list(this.#bots.owner.token, this.#bots.outsider.token)
  }

  /** To be friends, unless they are: the id of the request. */
  #ask(from: string, to: string): string {
    const { friends } = this.#gateway.world
    if (friends.are(from, to)) return UNKNOWN
    const known = friends.requests(from).find(({ to_user, from_user }) => to_user === to || from_user === to)
    return known?.id ?? friends.ask(from, to, '').id
  }

  #clear(person: Account): void {
    const { world, tokens } = this.#gateway
    for (const { id, owner_id } of world.servers.of(person.id)) {
      if (owner_id === person.id) change(world, () => world.servers.remove(person.id, id))
      else change(world, () => world.servers.leave(person.id, id))
    }
    if (tokens.verify(person.access) === null) Object.assign(person, this.#gateway.login(person.id))
  }

  #list(...botTokens: readonly string[]): void {
    const { owner, member, outsider, disabled } = this.#people
    this.secrets.clear()
    for (const token of botTokens) this.secrets.set(token, null)
    for (const one of [owner, member, outsider, disabled]) {
      this.secrets.set(one.access, null)
      this.secrets.set(one.refresh, null)
    }
    for (const who of ['owner', 'member', 'outsider'] as const) this.secrets.set(this.#people[who].email, who)
    this.secrets.set(disabled.email, null)
  }

  /** What somebody's requests have as Authorization. */
  authorization(as: Caller): string {
    if (as === 'bot') return `Bot ${this.#bots.owner.token}`
    if (as === 'botJwt') return `Bearer ${this.#bots.owner.jwt()}`
    return `Bearer ${this.#people[as].access}`
  }

  /** Credentials that nobody may be let in with. */
  bad(which: number): string {
    const { owner, disabled } = this.#people
    const [head = '', claims = '', signature = ''] = owner.access.split('.')
    const all = [
      '',
      'Bearer',
      'Bearer x',
      `Bot ${owner.access}`,
      `Bearer ${this.#bots.owner.token}`,
      `Bearer ${owner.refresh}`,
      `Bearer ${disabled.access}`,
      `Bearer ${head}.${claims}.`,
      `Bearer ${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`,
      `Bearer ${head}.${signature}.${claims}`,
      `Bearer ${head}.${claims}.${signature.slice(1)}`,
      `Basic ${Buffer.from('owner:x').toString('base64')}`,
      `Bot ${'0'.repeat(64)}`,
      `Bearer ${'x'.repeat(5000)}`,
      `Bearer ${this.#gateway.expiredToken(owner.id, owner.session)}`,
    ]
    return all[which % all.length] ?? ''
  }
}
