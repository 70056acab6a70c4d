import { expect } from 'vitest'
import { ALL_PERMISSIONS } from '../../lib/chat/permissions.ts'
import { type Client, field, idOf, listOf, type Person } from './gateway.ts'
import { type BotClient, Bots, type BotsOptions, SELF } from './onebot.ts'
import type { EngineName } from './server.ts'

/*
 * A scene for what people and bots do to each other: robo and mate are bots, each with a client; bo is a member, ada the owner.
 * What people do they do over HTTP, what bots do is looked at there.
 */

export type Json = Readonly<Record<string, unknown>>

export interface SceneOptions {
  /** What robo may do; default everything. */
  readonly power?: number
  readonly onebot?: NonNullable<BotsOptions['onebot']>
}

/** Text as a list of segments has it. */
export const text = (said: string) => ({ type: 'text', data: { text: said } })

export class Scene {
  readonly bots: Bots
  readonly robo: BotClient
  readonly mate: BotClient
  /** Robo again, in CQ text, and told of what it says itself. */
  readonly self: BotClient
  /** Number of mate. */
  readonly mateId: number
  readonly bo: Person
  /** What bo is told over the gateway. */
  readonly eyes: Client
  readonly #seen = new Map<BotClient, number>()

  private constructor(
    bots: Bots,
    clients: readonly [BotClient, BotClient, BotClient],
    mateId: number,
    bo: Person,
    eyes: Client,
  ) {
    this.bots = bots
    const [robo, mate, self] = clients
    this.robo = robo
    this.mate = mate
    this.self = self
    this.mateId = mateId
    this.bo = bo
    this.eyes = eyes
  }

  static async start(engine: EngineName, { power = ALL_PERMISSIONS, onebot }: SceneOptions = {}): Promise<Scene> {
    const bots = await Bots.start(engine, {
      routes: [
        { match: '/onebot/', handler: 'onebot' },
        { match: '/mate/', handler: 'onebot', bot: 'mate', onebot: { name: 'mate' } },
        {
          match: '/self/',
          handler: 'onebot',
          onebot: { name: 'self', reportSelfMessage: true, messagePostFormat: 'string' },
        },
      ],
      ...(onebot === undefined ? {} : { onebot }),
    })
    await bots.bring('mate')
    if (power !== 0) await bots.empower('robo', power)
    const { who, client } = await bots.person('bo')
    const clients = [await bots.connect(), await bots.connect('/mate/'), await bots.connect('/self/')] as const
    const scene = new Scene(bots, clients, bots.numberOf(await bots.userOf('mate')), who, client)
    await scene.forget()
    return scene
  }

  get ada(): Person {
    return this.bots.ada
  }

  get server(): string {
    return this.bots.server
  }

  get channel(): string {
    return this.bots.channel
  }

  get group(): number {
    return this.bots.group
  }

  num({ id }: Person): number {
    return this.bots.numberOf(id)
  }

  get adaId(): number {
    return this.num(this.ada)
  }

  get boId(): number {
    return this.num(this.bo)
  }

  /** What somebody does or reads over HTTP, which is done. */
  async http(as: Person, method: string, path: string, body?: unknown): Promise<unknown> {
    const reply = await this.bots.gateway.request(method, path, as, body)
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`)
    return reply.body
  }

  /** A message of somebody: its id, and what bots call it. */
  async say(as: Person, content: string, more: Json = {}, channel = this.channel) {
    const id = idOf(await this.http(as, 'POST', `/channels/${channel}/messages`, { content, ...more }))
    return this.named(id, channel)
  }

  named(id: string, channel = this.channel) {
    const { num, seq } = this.bots.world.messages.get(this.ada.id, channel, id)
    return { id, num, seq }
  }

  /** What is in a channel for people, the newest first. */
  async page(channel = this.channel): Promise<unknown[]> {
    return listOf(await this.http(this.ada, 'GET', `/channels/${channel}/messages`))
  }

  async contents(channel = this.channel): Promise<unknown[]> {
    return (await this.page(channel)).map((one) => field(one, 'content'))
  }

  /** Somebody in the list of members; undefined: they are none. */
  async member(id: string): Promise<unknown> {
    const members = listOf(await this.http(this.ada, 'GET', `/servers/${this.server}/members`))
    return members.find((one) => field(one, 'user_id') === id)
  }

  /** Another text channel of the server: its id, and what bots call it. */
  async makeChannel(name: string, type: 'text' | 'voice' = 'text') {
    const id = idOf(await this.http(this.ada, 'POST', `/servers/${this.server}/channels`, { name, type }))
    return { id, group: this.bots.world.channels.find(id)?.num ?? 0 }
  }

  /** Takes the sight of a channel from a bot; what gives it back. */
  async hide(channel: string, handle: string): Promise<string> {
    const user_id = await this.bots.userOf(handle)
    const body = { user_id, role_id: null, allow: 0, deny: 1 }
    return idOf(await this.http(this.ada, 'PUT', `/channels/${channel}/overrides`, body))
  }

  /** A role of somebody, above that of robo where it is `high`. */
  async giveRole(to: string, permissions: number, high = false): Promise<string> {
    const position = high ? 50 : 0
    const draft = { name: 'role', permissions, position }
    const id = idOf(await this.http(this.ada, 'POST', `/servers/${this.server}/roles`, draft))
    await this.http(this.ada, 'PUT', `/servers/${this.server}/members/${to}/roles/${id}`)
    return id
  }

  /** What a client was told since the last time, without when: of that it is looked at that it is in seconds. */
  async told(client: BotClient): Promise<Json[]> {
    await this.bots.settle(client)
    const { events } = client
    const from = this.#seen.get(client) ?? 0
    this.#seen.set(client, events.length)
    return events.slice(from).map(({ time, ...event }) => {
      expect(String(time)).toMatch(/^\d{10}$/)
      expect(event['self_id']).toBe(client === this.mate ? this.mateId : SELF)
      return event
    })
  }

  /** What robo and mate were told; without what all events have. */
  async both(): Promise<Json[][]> {
    const all: Json[][] = []
    for (const client of [this.robo, this.mate]) {
      const events = await this.told(client)
      all.push(
        events.map((event) => {
          const { self_id: _, ...rest } = event
          return rest
        }),
      )
    }
    return all
  }

  /** What was told so far is not looked at. */
  async forget(): Promise<void> {
    for (const client of [this.robo, this.mate, this.self]) await this.told(client)
  }

  /** Why an action of a bot is not done; `ok` where it is. */
  async why(action: string, params: unknown, client = this.robo): Promise<string> {
    const { status, retcode, data, message } = await client.call(action, params)
    if (retcode === 0) return 'ok'
    expect([status, data]).toEqual(['failed', null])
    return `${retcode} ${/^[A-Z_]+/.exec(message)?.[0] ?? message}`
  }
}

/** A notice without what all have. */
export const notice = (type: string, fields: Json): Json => ({ post_type: 'notice', notice_type: type, ...fields })
