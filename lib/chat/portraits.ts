import type { Channels } from './channels.ts'
import type { Core } from './core.ts'
import type { Files } from './files.ts'
import { MAX_PORTRAIT } from './limits.ts'
import type { Content } from './media.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import type { StoredFile } from './store/files.ts'
import type { Users } from './users.ts'

/** Where anybody reads such an image, below the API. */
export const portraitUrl = (file: string): string => `/portraits/${file}`

/** Images of people and channels: whoever knows the address of one sees it. */
export class Portraits {
  readonly #users: Users
  readonly #channels: Channels
  readonly #files: Files
  readonly #isShown

  constructor({ db }: Core, users: Users, channels: Channels, files: Files) {
    this.#users = users
    this.#channels = channels
    this.#files = files
    this.#isShown = db.first((q, p: Param<{ file: string }>) =>
      q
        .selectFrom('users')
        .select('id')
        .where('avatar_file', '=', p('file'))
        .unionAll(q.selectFrom('channels').select('id').where('icon_file', '=', p('file'))),
    )
  }

  /** NOT_FOUND for one that is of nobody any more. */
  image(id: string): StoredFile {
    const file = this.#isShown({ file: id }) === undefined ? null : this.#files.find(id)
    if (file === null) throw notFound()
    return file
  }

  // Changes

  /** Of a PNG, JPEG, GIF or WebP, whose bytes are in the store. */
  setOfUser(user: string, content: Content): void {
    const file = this.#add(user, content)
    const before = this.#users.find(user)?.avatar_file ?? null
    this.#users.change(user, { avatar_url: portraitUrl(file), avatar_file: file })
    if (before !== null) this.#files.drop(before)
  }

  setOfChannel(user: string, channel: string, content: Content): void {
    const before = this.#channels.find(channel)?.icon_file ?? null
    this.#channels.setIcon(user, channel, this.#add(user, content))
    if (before !== null) this.#files.drop(before)
  }

  #add(user: string, content: Content): string {
    if (content.size > MAX_PORTRAIT) throw new Refusal('INVALID', `An image has ${MAX_PORTRAIT} bytes at most`)
    if (content.kind !== 'image') throw new Refusal('INVALID', 'This is no PNG, JPEG, GIF or WebP')
    return this.#files.add(user, null, 'portrait', content).id
  }
}
