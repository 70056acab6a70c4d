import type { Access } from './access.ts'
import type { Details } from './audit.ts'
import { type Core, createdAt } from './core.ts'
import { isPartOf } from './group.ts'
import { MAX_CHANNELS } from './limits.ts'
import { MANAGE_CHANNELS } from './permissions.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Flag } from './store/flag.ts'

/** A room of a server. */
export interface Channel {
  readonly num: number
  readonly id: string
  readonly server_id: string
  readonly name: string
  readonly type: 'text' | 'voice'
  readonly position: number
  readonly category: string | null
  readonly topic: string | null
  /** An image of it. */
  readonly icon_file: string | null
  /** Only admins speak there for now. */
  readonly shut: Flag
  readonly created_at: string
}

export type ChannelDraft = Pick<Channel, 'name' | 'type' | 'topic' | 'category'>
export type ChannelChange = Partial<Pick<Channel, 'name' | 'topic' | 'category' | 'position'>>

const COLUMNS = [
  'num',
  'id',
  'server_id',
  'name',
  'type',
  'position',
  'category',
  'topic',
  'icon_file',
  'shut',
  'created_at',
] as const

export class Channels {
  readonly #core: Core
  readonly #access: Access
  readonly #byId
  readonly #byNum
  readonly #ofServer
  readonly #named
  readonly #shape
  readonly #insert
  readonly #update
  readonly #setIcon
  readonly #delete

  constructor(core: Core, access: Access) {
    this.#core = core
    this.#access = access
    const { db } = core
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('channels').select(COLUMNS).where('id', '=', p('id')),
    )
    this.#byNum = db.first((q, p: Param<{ num: number }>) =>
      q.selectFrom('channels').select(COLUMNS).where('num', '=', p('num')),
    )
    this.#ofServer = db.all((q, p: Param<{ server: string }>) =>
      q.selectFrom('channels').select(COLUMNS).where('server_id', '=', p('server')).orderBy('position').orderBy('id'),
    )
    this.#named = db.first((q, p: Param<{ server: string; name: string }>) =>
      q
        .selectFrom('channels as c')
        .innerJoin('servers as s', 's.id', 'c.server_id')
        .where((eb) => eb.or([eb('s.name', '=', p('server')), eb('s.id', '=', p('server'))]))
        .where((eb) => eb.or([eb('c.name', '=', p('name')), eb('c.id', '=', p('name'))]))
        .where('c.type', '=', 'text')
        .select(['c.id', 'c.server_id'])
        .orderBy('c.id'),
    )
    this.#shape = db.first((q, p: Param<{ server: string }>) =>
      q
        .selectFrom('channels')
        .where('server_id', '=', p('server'))
        .select(({ fn }) => [fn.countAll<number>().as('count'), fn.max('position').as('last')]),
    )
    this.#insert = db.run(
      (
        q,
        p: Param<{
          num: number
          id: string
          server: string
          name: string
          type: 'text' | 'voice'
          position: number
          category: string | null
          topic: string | null
          at: string
        }>,
      ) =>
        q.insertInto('channels').values({
          num: p('num'),
          id: p('id'),
          server_id: p('server'),
          name: p('name'),
          type: p('type'),
          position: p('position'),
          category: p('category'),
          topic: p('topic'),
          last_seq: 0,
          shut: 0,
          created_at: p('at'),
        }),
    )
    this.#update = db.run(
      (q, p: Param<{ id: string; name: string; position: number; category: string | null; topic: string | null }>) =>
        q
          .updateTable('channels')
          .set({ name: p('name'), position: p('position'), category: p('category'), topic: p('topic') })
          .where('id', '=', p('id')),
    )
    this.#setIcon = db.run((q, p: Param<{ id: string; file: string }>) =>
      q
        .updateTable('channels')
        .set({ icon_file: p('file') })
        .where('id', '=', p('id')),
    )
    this.#delete = db.run((q, p: Param<{ id: string }>) => q.deleteFrom('channels').where('id', '=', p('id')))
  }

  /** What the user can see of a server, in its order. */
  visible(user: string, server: string): Channel[] {
    const ids = new Set(this.#access.visible(user, server))
    return this.#ofServer({ server }).filter(({ id }) => ids.has(id))
  }

  /** One that the user can see. */
  get(user: string, server: string, id: string): Channel {
    const { server_id } = this.#access.channel(user, id)
    if (server_id !== server) throw notFound()
    return this.#known(id)
  }

  byNum(num: number): Channel | null {
    return this.#byNum({ num }) ?? null
  }

  find(id: string): Channel | null {
    return this.#byId({ id }) ?? null
  }

  /** The text channels of a server, in its order. */
  textOf(server: string): Channel[] {
    return this.#ofServer({ server }).filter(({ type }) => type === 'text')
  }

  /** A text channel by names or ids, as a config has them; of several of one name the oldest. */
  named(server: string, name: string): { readonly id: string; readonly server_id: string } | null {
    return this.#named({ server, name }) ?? null
  }

  // Changes

  create(user: string, server: string, { name, type, topic, category }: ChannelDraft): Channel {
    this.#access.mayInServer(user, server, MANAGE_CHANNELS)
    const { ids, numbers } = this.#core
    const { count = 0, last = null } = this.#shape({ server }) ?? {}
    if (count >= MAX_CHANNELS) throw new Refusal('LIMIT', `A server can have ${MAX_CHANNELS} channels`)
    const id = ids.next()
    const position = last === null ? 0 : last + 1
    this.#log(user, server, 'channel.create', id, { name, type })
    this.#insert({ num: numbers.take('channel'), id, server, name, type, position, category, topic, at: createdAt(id) })
    this.#core.changes.emit({ type: 'channel.created', serverId: server, channelId: id })
    return this.#known(id)
  }

  change(user: string, server: string, id: string, next: ChannelChange): Channel {
    const before = this.get(user, server, id)
    this.#access.channel(user, id, MANAGE_CHANNELS)
    if (isPartOf(next, before)) return before
    const { name, position, category, topic } = { ...before, ...next }
    this.#update({ id, name, position, category, topic })
    this.#log(user, server, 'channel.update', id, next)
    if (name !== before.name) {
      this.#core.changes.emit({ type: 'channel.renamed', serverId: server, channelId: id, by: user, name })
    }
    return this.#known(id)
  }

  setIcon(user: string, id: string, file: string): void {
    const { server_id } = this.#access.channel(user, id, MANAGE_CHANNELS)
    this.#setIcon({ id, file })
    this.#log(user, server_id, 'channel.update', id, { icon: file })
  }

  /** With its messages. */
  remove(user: string, server: string, id: string): void {
    const { name } = this.get(user, server, id)
    this.#access.channel(user, id, MANAGE_CHANNELS)
    this.#delete({ id })
    this.#log(user, server, 'channel.delete', id, { name })
    this.#core.changes.emit({ type: 'channel.visibility', serverId: server, channelId: id, deleted: true })
  }

  #log(actor: string, server: string, action: string, channel: string, details: Details): void {
    this.#core.audit.log({ server, actor, action, target: ['channel', channel], details })
  }

  #known(id: string): Channel {
    const channel = this.#byId({ id })
    if (channel === undefined) throw notFound()
    return channel
  }
}
