import type { Access } from './access.ts'
import { type Core, createdAt } from './core.ts'
import type { Files } from './files.ts'
import { MAX_EMOJI_IMAGE, MAX_EMOJIS } from './limits.ts'
import type { Content } from './media.ts'
import { MANAGE_SERVER } from './permissions.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { StoredFile } from './store/files.ts'
import { sqliteCode } from './store/sqlite.ts'

/** An image that members of a server use by its name. */
export interface Emoji {
  readonly id: string
  readonly server_id: string
  readonly created_by: string | null
  readonly name: string
  readonly content_type: string
  /** Bytes. */
  readonly file_size: number
  readonly created_at: string
}

const COLUMNS = ['e.id', 'e.server_id', 'e.created_by', 'e.name', 'e.created_at'] as const

export class Emojis {
  readonly #core: Core
  readonly #access: Access
  readonly #files: Files
  readonly #ofServer
  readonly #byId
  readonly #insert
  readonly #delete

  constructor(core: Core, access: Access, files: Files) {
    this.#core = core
    this.#access = access
    this.#files = files
    const { db } = core
    this.#ofServer = db.all((q, p: Param<{ server: string }>) =>
      q
        .selectFrom('custom_emojis as e')
        .innerJoin('files as f', 'f.id', 'e.file_id')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .select(COLUMNS)
        .select(['b.mime as content_type', 'b.size as file_size'])
        .where('e.server_id', '=', p('server'))
        .orderBy('e.id'),
    )
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('custom_emojis').select(['server_id', 'file_id']).where('id', '=', p('id')),
    )
    this.#insert = db.run(
      (q, p: Param<{ id: string; server: string; by: string; name: string; file: string; at: string }>) =>
        q.insertInto('custom_emojis').values({
          id: p('id'),
          server_id: p('server'),
          created_by: p('by'),
          name: p('name'),
          file_id: p('file'),
          created_at: p('at'),
        }),
    )
    this.#delete = db.run((q, p: Param<{ id: string }>) => q.deleteFrom('custom_emojis').where('id', '=', p('id')))
  }

  /** In the order in which they were made. */
  list(user: string, server: string): Emoji[] {
    this.#access.member(user, server)
    return this.#ofServer({ server })
  }

  /** Whether somebody may make one: before its bytes are taken. */
  checkMay(user: string, server: string): void {
    this.#access.mayInServer(user, server, MANAGE_SERVER)
  }

  checkImage({ size, kind }: Pick<Content, 'size' | 'kind'>): void {
    if (size > MAX_EMOJI_IMAGE) throw new Refusal('INVALID', `image has ${MAX_EMOJI_IMAGE} bytes at most`)
    if (kind !== 'image') throw new Refusal('INVALID', 'image is a PNG, JPEG, GIF or WebP')
  }

  /** Its image, for anybody. */
  image(id: string): StoredFile {
    const emoji = this.#byId({ id })
    const file = emoji === undefined ? null : this.#files.find(emoji.file_id)
    if (file === null) throw notFound()
    return file
  }

  // Changes

  /** Of a PNG, JPEG, GIF or WebP, whose bytes are in the store. CONFLICT where the name is taken. */
  create(user: string, server: string, name: string, content: Content): Emoji {
    this.checkMay(user, server)
    this.checkImage(content)
    if (this.#ofServer({ server }).length >= MAX_EMOJIS) {
      throw new Refusal('LIMIT', `A server can have ${MAX_EMOJIS} emoji`)
    }
    const { ids, changes, audit } = this.#core
    const file = this.#files.add(user, null, name, content)
    const id = ids.next()
    try {
      this.#insert({ id, server, by: user, name, file: file.id, at: createdAt(id) })
    } catch (error) {
      if (sqliteCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      throw new Refusal('CONFLICT', 'There is an emoji of this name')
    }
    const emoji = this.#ofServer({ server }).find((one) => one.id === id)
    if (emoji === undefined) throw notFound()
    audit.log({ server, actor: user, action: 'emoji.create', target: ['emoji', id], details: { name } })
    changes.emit({ type: 'emoji.created', emoji })
    return emoji
  }

  remove(user: string, server: string, id: string): void {
    this.checkMay(user, server)
    const emoji = this.#byId({ id })
    if (emoji?.server_id !== server) throw notFound()
    this.#delete({ id })
    this.#files.drop(emoji.file_id)
    this.#core.audit.log({ server, actor: user, action: 'emoji.delete', target: ['emoji', id] })
    this.#core.changes.emit({ type: 'emoji.removed', serverId: server, emojiId: id })
  }
}
