import { type Access, needs } from './access.ts'
import { isClean } from './content.ts'
import type { Directs } from './directs.ts'
import type { AttachedFile, Files } from './files.ts'
import { MAX_FILE_NAME } from './limits.ts'
import type { Content } from './media.ts'
import { ATTACH_FILES } from './permissions.ts'

/** Without a path in front, and without what is not seen, or has the rest read backwards. */
function toName(given: string): string {
  const last = (given.split(/[/\\]/).at(-1) ?? '').replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '').trim()
  const name = Array.from(last).slice(0, MAX_FILE_NAME).join('')
  return isClean(name) && !/^\.*$/.test(name) ? name : 'file'
}

/** Files for channels, which a message there can have from then on. */
export class Uploads {
  readonly #access: Access
  readonly #directs: Directs
  readonly #files: Files

  constructor(access: Access, directs: Directs, files: Files) {
    this.#access = access
    this.#directs = directs
    this.#files = files
  }

  /** Whether somebody may add files there, in a channel of a server or in a direct one: before its bytes are taken. */
  checkMay(user: string, channel: string): void {
    if (this.#directs.find(user, channel) === null) needs(this.#access.channel(user, channel), ATTACH_FILES)
  }

  // Changes

  /** Bytes that are in the store. */
  add(user: string, channel: string, name: string, content: Content): AttachedFile {
    this.checkMay(user, channel)
    return this.#files.add(user, channel, toName(name), content)
  }

  /** The same for a channel that is to be chosen: `place`. */
  keep(user: string, name: string, content: Content, most: number): AttachedFile {
    return this.#files.add(user, null, toName(name), content, most)
  }
}
