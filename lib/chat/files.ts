import { readFile } from 'node:fs/promises'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_MESSAGE_FILES, MAX_STORED } from './limits.ts'
import type { Links } from './links.ts'
import { type Content, findMedia, type Media } from './media.ts'
import { notFound, Refusal } from './refusal.ts'
import { type Blobs, type Bytes } from './store/blobs.ts'
import { type FileStatements, prepareFiles, type StoredFile } from './store/files.ts'

/** A file as messages have it. */
export interface AttachedFile {
  readonly id: string
  readonly name: string
  readonly kind: Media['kind']
  readonly content_type: string
  /** Bytes. */
  readonly size: number
  /** Where whoever has it reads the file, for a while. */
  readonly url: string
}

const DAY = 86_400_000
/** Milliseconds between two looks for what nobody needs any more. */
const SWEEP = 3_600_000

/** Files of messages and emoji: their bytes are kept once, whatever they are called, for as long as anything needs them. */
export class Files {
  readonly #core: Core
  readonly #blobs: Blobs
  readonly #links: Links
  /** Bytes on their way into the store. */
  readonly #arriving = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  readonly #rows: FileStatements

  constructor(core: Core, blobs: Blobs, links: Links) {
    this.#core = core
    this.#blobs = blobs
    this.#links = links
    this.#rows = prepareFiles(core.db)
    this.#timer = setInterval(() => {
      this.sweep().catch((error: unknown) => core.events.failed('Files could not be swept', error))
    }, SWEEP).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  find(id: string): StoredFile | null {
    return this.#rows.byId({ id }) ?? null
  }

  /** As messages have them, in the order of the ids. */
  read(ids: readonly string[]): AttachedFile[] {
    return this.#rows.some({ ids: JSON.stringify(ids) }).map((file) => ({
      id: file.id,
      name: file.name,
      kind: file.kind,
      content_type: file.mime,
      size: file.size,
      url: this.#links.make(file.id),
    }))
  }

  /** By its link; NOT_FOUND for one that is not good, too. */
  byLink(id: string, ends: string, signature: string): StoredFile {
    const file = this.#links.isGood(id, ends, signature) ? this.find(id) : null
    // With a channel its files go, though it takes a while.
    if (file === null || (file.channel_id !== null && this.#rows.place({ id: file.channel_id }) === undefined))
      throw notFound()
    return file
  }

  /** Whether those who see its channel can see it there. */
  isShown({ id }: StoredFile): boolean {
    return this.#rows.shown({ id }) !== undefined
  }

  /** Where its bytes are on the disk. */
  pathOf({ sha256 }: StoredFile): string {
    return this.#blobs.pathOf(sha256)
  }

  /** Somebody has removed its bytes from the data folder. */
  miss(file: StoredFile): void {
    this.#core.events.failed('The bytes of a file cannot be read', new Error(`${this.pathOf(file)} is not there`))
  }

  /** NOT_FOUND where they are not there. */
  async bytesOf(file: StoredFile): Promise<Buffer> {
    try {
      return await readFile(this.pathOf(file))
    } catch {
      this.miss(file)
      throw notFound()
    }
  }

  /** Has bytes in the store before `change` says what they are for; what it refuses is not kept. */
  async keep<T>(bytes: Bytes, change: (content: Content) => T): Promise<T> {
    const arrival = await this.#blobs.receive(bytes)
    const { sha256, size, head } = arrival
    // What arrives is not swept away meanwhile.
    this.#arriving.set(sha256, (this.#arriving.get(sha256) ?? 0) + 1)
    try {
      await this.#blobs.settle(arrival)
      return await this.#core.changes.run(() => change({ ...findMedia(head), size, sha256 }))
    } finally {
      const others = (this.#arriving.get(sha256) ?? 1) - 1
      if (others > 0) this.#arriving.set(sha256, others)
      else this.#arriving.delete(sha256)
      this.#removeUnknown(sha256)
    }
  }

  /** Bytes that belong to nothing, and are not on their way to anything. */
  #removeUnknown(sha256: string): void {
    if (!this.#arriving.has(sha256) && this.#rows.blob({ sha256 }) === undefined) this.#blobs.remove(sha256)
  }

  // Changes

  /**
   * Bytes that are in the store already.
   *
   * @param most bytes that the user may have in all
   */
  add(user: string, channel: string | null, name: string, content: Content, most = MAX_STORED): AttachedFile {
    const { mime, kind, size, sha256 } = content
    if ((this.#rows.storedBy({ user })?.bytes ?? 0) + size > most) {
      throw new Refusal('LIMIT', `You can have ${most} bytes of files`)
    }
    const id = this.#core.ids.next()
    const at = createdAt(id)
    this.#rows.insertBlob({ sha256, size, mime, at })
    this.#rows.insert({ id, sha256, name, kind, owner: user, channel, at })
    const [file] = this.read([id])
    if (file === undefined) throw notFound()
    return file
  }

  /** Those of one's own that are for no channel yet are for this one from now on. */
  place(user: string, channel: string, ids: readonly string[]): void {
    for (const id of ids) this.#rows.placeIn({ id, user, channel })
  }

  /** Files that are for a message: the author's own, for this channel. NOT_FOUND for others. */
  check(user: string, channel: string, ids: readonly string[], most = MAX_MESSAGE_FILES): void {
    if (ids.length > most) throw new Refusal('INVALID', `A message has ${most} files at most`)
    if (new Set(ids).size < ids.length) throw new Refusal('INVALID', 'A file is there twice')
    for (const id of ids) {
      const file = this.find(id)
      if (file?.owner_id !== user || file.channel_id !== channel) {
        throw new Refusal('NOT_FOUND', 'A file of this message is not there')
      }
    }
  }

  attach(message: number, ids: readonly string[]): AttachedFile[] {
    for (const file of ids) this.#rows.attach({ message, file })
    return ids.length === 0 ? [] : this.read(ids.toSorted())
  }

  /** One that is of no use any more. */
  drop(id: string): void {
    this.#rows.drop({ id })
  }

  /** With a message its files go, but for those that another has, too. */
  detach(message: number): void {
    this.#rows.dropOf({ message })
    this.#rows.detach({ message })
  }

  /** Lets go of what nothing has needed for a day, and of what a process that ended in between has left. */
  async sweep(): Promise<void> {
    const day = this.#core.now() - DAY
    const before = toTime(day)
    const gone = await this.#core.changes.run(() => {
      this.#rows.dropGone({})
      this.#rows.dropFiles({ before })
      const unused = this.#rows.unused({ before }).filter(({ sha256 }) => !this.#arriving.has(sha256))
      for (const { sha256 } of unused) this.#rows.dropBlob({ sha256 })
      return unused
    })
    for (const { sha256 } of gone) this.#removeUnknown(sha256)
    for await (const sha256 of this.#blobs.before(day)) this.#removeUnknown(sha256)
  }
}
