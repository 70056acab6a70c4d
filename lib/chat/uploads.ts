import { type Access, needs } from './access.ts'
import { isClean } from './content.ts'
import type { Directs } from './directs.ts'
import { toLastPart } from './file-names.ts'
import type { AttachedFile, Files } from './files.ts'
import { MAX_FILE_NAME } from './limits.ts'
import type { Content } from './media.ts'
import { ATTACH_FILES } from './permissions.ts'

function toName(given: string): string {
  const name = Array.from(toLastPart(given)).slice(0, MAX_FILE_NAME).join('')
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
