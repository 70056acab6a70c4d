import { type Access, needs } from './access.ts'
import { checkContent } from './content.ts'
import { type Core, createdAt } from './core.ts'
import type { Files } from './files.ts'
import { MAX_NOTICES } from './limits.ts'
import { MANAGE_CHANNELS } from './permissions.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { Flag } from './store/flag.ts'

/** What is announced to all who see a channel. */
export interface Notice {
  readonly id: string
  readonly author_id: string | null
  readonly content: string
  /** An image. */
  readonly file_id: string | null
  readonly pinned: Flag
  readonly created_at: string
}

/** Announcements of channels. */
export class Notices {
  readonly #core: Core
  readonly #access: Access
  readonly #files: Files
  readonly #of
  readonly #byId
  readonly #insert
  readonly #delete

  constructor(core: Core, access: Access, files: Files) {
    this.#core = core
    this.#access = access
    this.#files = files
    const { db } = core
    this.#of = db.all((q, p: Param<{ channel: string }>) =>
      q
        .selectFrom('notices')
        .select(['id', 'author_id', 'content', 'file_id', 'pinned', 'created_at'])
        .where('channel_id', '=', p('channel'))
        .orderBy('pinned', 'desc')
        .orderBy('id', 'desc'),
    )
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('notices').select(['channel_id', 'file_id']).where('id', '=', p('id')),
    )
    this.#insert = db.run(
      (
        q,
        p: Param<{
          id: string
          channel: string
          author: string
          content: string
          file: string | null
          pinned: Flag
          at: string
        }>,
      ) =>
        q.insertInto('notices').values({
          id: p('id'),
          channel_id: p('channel'),
          author_id: p('author'),
          content: p('content'),
          file_id: p('file'),
          pinned: p('pinned'),
          created_at: p('at'),
        }),
    )
    this.#delete = db.run((q, p: Param<{ id: string }>) => q.deleteFrom('notices').where('id', '=', p('id')))
  }

  /** Those that are pinned first, of each the newest first. */
  list(user: string, channel: string): Notice[] {
    this.#access.channel(user, channel)
    return this.#of({ channel })
  }

  // Changes

  /** @param file an image of the author's, for the channel */
  add(user: string, channel: string, content: string, file: string | null, pinned: boolean): Notice {
    needs(this.#access.channel(user, channel), MANAGE_CHANNELS)
    checkContent(content)
    if (file !== null) this.#files.check(user, channel, [file])
    if (this.#of({ channel }).length >= MAX_NOTICES) {
      throw new Refusal('LIMIT', `A channel has ${MAX_NOTICES} announcements at most`)
    }
    const id = this.#core.ids.next()
    const at = createdAt(id)
    const flag = pinned ? 1 : 0
    this.#insert({ id, channel, author: user, content, file, pinned: flag, at })
    return { id, author_id: user, content, file_id: file, pinned: flag, created_at: at }
  }

  remove(user: string, channel: string, id: string): void {
    needs(this.#access.channel(user, channel), MANAGE_CHANNELS)
    const notice = this.#byId({ id })
    if (notice?.channel_id !== channel) throw notFound()
    this.#delete({ id })
    if (notice.file_id !== null) this.#files.drop(notice.file_id)
  }
}
