import { readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { MAX_MESSAGE_FILES, MAX_STORED } from './limits.ts'
import type { Links } from './links.ts'
import { type Content, findMedia, type Media } from './media.ts'
import { notFound, Refusal } from './refusal.ts'
import { type Blobs, type Bytes } from './store/blobs.ts'
import type { Param } from './store/database.ts'

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

/** What is kept of a file. */
export interface StoredFile {
  readonly id: string
  readonly name: string
  readonly kind: Media['kind']
  readonly mime: string
  readonly size: number
  readonly sha256: string
  readonly owner_id: string | null
  readonly channel_id: string | null
}

const DAY = 86_400_000
/** Milliseconds between two looks for what nobody needs any more. */
const SWEEP = 3_600_000
const COLUMNS = ['f.id', 'f.name', 'f.kind', 'b.mime', 'b.size', 'f.sha256', 'f.owner_id', 'f.channel_id'] as const

/** Files of messages and emoji: their bytes are kept once, whatever they are called, for as long as anything needs them. */
export class Files {
  readonly #core: Core
  readonly #blobs: Blobs
  readonly #links: Links
  /** Bytes on their way into the store. */
  readonly #arriving = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  readonly #byId
  readonly #some
  readonly #place
  readonly #storedBy
  readonly #blob
  readonly #insertBlob
  readonly #insert
  readonly #attach
  readonly #detach
  readonly #dropOf
  readonly #drop
  readonly #dropGone
  readonly #dropFiles
  readonly #unused
  readonly #dropBlob

  constructor(core: Core, blobs: Blobs, links: Links) {
    this.#core = core
    this.#blobs = blobs
    this.#links = links
    const { db } = core
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('files as f')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .select(COLUMNS)
        .where('f.id', '=', p('id')),
    )
    this.#some = db.all((q, p: Param<{ ids: string }>) =>
      q
        .selectFrom(sql<{ value: string; key: number }>`json_each(${p('ids')})`.as('wanted'))
        .innerJoin('files as f', 'f.id', 'wanted.value')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .select(COLUMNS)
        .orderBy('wanted.key'),
    )
    this.#place = db.first((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('channels')
        .select('id')
        .where('id', '=', p('id'))
        .unionAll(q.selectFrom('dm_channels').select('id').where('id', '=', p('id'))),
    )
    this.#storedBy = db.first((q, p: Param<{ user: string }>) =>
      q
        .selectFrom('files as f')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .where('f.owner_id', '=', p('user'))
        .select(({ fn }) => fn.sum<number | null>('b.size').as('bytes')),
    )
    this.#blob = db.first((q, p: Param<{ sha256: string }>) =>
      q.selectFrom('blobs').select('sha256').where('sha256', '=', p('sha256')),
    )
    this.#insertBlob = db.run((q, p: Param<{ sha256: string; size: number; mime: string; at: string }>) =>
      q
        .insertInto('blobs')
        .values({ sha256: p('sha256'), size: p('size'), mime: p('mime'), created_at: p('at') })
        .onConflict((on) => on.doNothing()),
    )
    this.#insert = db.run(
      (
        q,
        p: Param<{
          id: string
          sha256: string
          name: string
          kind: Media['kind']
          owner: string
          channel: string | null
          at: string
        }>,
      ) =>
        q.insertInto('files').values({
          id: p('id'),
          sha256: p('sha256'),
          name: p('name'),
          kind: p('kind'),
          owner_id: p('owner'),
          channel_id: p('channel'),
          created_at: p('at'),
        }),
    )
    this.#attach = db.run((q, p: Param<{ message: number; file: string }>) =>
      q.insertInto('message_files').values({ message_num: p('message'), file_id: p('file') }),
    )
    this.#detach = db.run((q, p: Param<{ message: number }>) =>
      q.deleteFrom('message_files').where('message_num', '=', p('message')),
    )
    this.#dropOf = db.run((q, p: Param<{ message: number }>) =>
      q
        .deleteFrom('files')
        .where('id', 'in', (eb) =>
          eb.selectFrom('message_files').select('file_id').where('message_num', '=', p('message')),
        )
        .where('id', 'not in', (eb) =>
          eb.selectFrom('message_files').select('file_id').where('message_num', '<>', p('message')),
        ),
    )
    this.#drop = db.run((q, p: Param<{ id: string }>) => q.deleteFrom('files').where('id', '=', p('id')))
    // Of channels that have gone with their messages.
    this.#dropGone = db.run((q) =>
      q
        .deleteFrom('message_files')
        .where('message_num', 'not in', (eb) => eb.selectFrom('messages').select('num'))
        .where('message_num', 'not in', (eb) => eb.selectFrom('dm_messages').select('num')),
    )
    this.#dropFiles = db.run((q, p: Param<{ before: string }>) =>
      q
        .deleteFrom('files')
        .where('created_at', '<', p('before'))
        .where('id', 'not in', (eb) => eb.selectFrom('message_files').select('file_id'))
        .where('id', 'not in', (eb) => eb.selectFrom('custom_emojis').select('file_id'))
        .where('id', 'not in', (eb) =>
          eb
            .selectFrom('users')
            .select((one) => one.ref('avatar_file').$notNull().as('id'))
            .where('avatar_file', 'is not', null),
        )
        .where('id', 'not in', (eb) =>
          eb
            .selectFrom('channels')
            .select((one) => one.ref('icon_file').$notNull().as('id'))
            .where('icon_file', 'is not', null),
        )
        .where('id', 'not in', (eb) =>
          eb
            .selectFrom('notices')
            .select((one) => one.ref('file_id').$notNull().as('id'))
            .where('file_id', 'is not', null),
        ),
    )
    this.#unused = db.all((q, p: Param<{ before: string }>) =>
      q
        .selectFrom('blobs')
        .select('sha256')
        .where('created_at', '<', p('before'))
        .where('sha256', 'not in', (eb) => eb.selectFrom('files').select('sha256')),
    )
    this.#dropBlob = db.run((q, p: Param<{ sha256: string }>) =>
      q.deleteFrom('blobs').where('sha256', '=', p('sha256')),
    )
    this.#timer = setInterval(() => {
      this.sweep().catch((error: unknown) => core.events.failed('Files could not be swept', error))
    }, SWEEP).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  find(id: string): StoredFile | null {
    return this.#byId({ id }) ?? null
  }

  /** As messages have them, in the order of the ids. */
  read(ids: readonly string[]): AttachedFile[] {
    return this.#some({ ids: JSON.stringify(ids) }).map((file) => ({
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
    if (file === null || (file.channel_id !== null && this.#place({ id: file.channel_id }) === undefined))
      throw notFound()
    return file
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
    if (!this.#arriving.has(sha256) && this.#blob({ sha256 }) === undefined) this.#blobs.remove(sha256)
  }

  // Changes

  /** Bytes that are in the store already. */
  add(user: string, channel: string | null, name: string, content: Content): AttachedFile {
    const { mime, kind, size, sha256 } = content
    if ((this.#storedBy({ user })?.bytes ?? 0) + size > MAX_STORED) {
      throw new Refusal('LIMIT', `You can have ${MAX_STORED} bytes of files`)
    }
    const id = this.#core.ids.next()
    const at = createdAt(id)
    this.#insertBlob({ sha256, size, mime, at })
    this.#insert({ id, sha256, name, kind, owner: user, channel, at })
    const [file] = this.read([id])
    if (file === undefined) throw notFound()
    return file
  }

  /** Files that are for a message: the author's own, for this channel. NOT_FOUND for others. */
  check(user: string, channel: string, ids: readonly string[]): void {
    if (ids.length > MAX_MESSAGE_FILES) throw new Refusal('INVALID', `A message has ${MAX_MESSAGE_FILES} files at most`)
    if (new Set(ids).size < ids.length) throw new Refusal('INVALID', 'A file is there twice')
    for (const id of ids) {
      const file = this.find(id)
      if (file?.owner_id !== user || file.channel_id !== channel) {
        throw new Refusal('NOT_FOUND', 'A file of this message is not there')
      }
    }
  }

  attach(message: number, ids: readonly string[]): AttachedFile[] {
    for (const file of ids) this.#attach({ message, file })
    return ids.length === 0 ? [] : this.read(ids.toSorted())
  }

  /** One that is of no use any more. */
  drop(id: string): void {
    this.#drop({ id })
  }

  /** With a message its files go, but for those that another has, too. */
  detach(message: number): void {
    this.#dropOf({ message })
    this.#detach({ message })
  }

  /** Lets go of what nothing has needed for a day, and of what a process that ended in between has left. */
  async sweep(): Promise<void> {
    const day = this.#core.now() - DAY
    const before = toTime(day)
    const gone = await this.#core.changes.run(() => {
      this.#dropGone({})
      this.#dropFiles({ before })
      const unused = this.#unused({ before }).filter(({ sha256 }) => !this.#arriving.has(sha256))
      for (const { sha256 } of unused) this.#dropBlob({ sha256 })
      return unused
    })
    for (const { sha256 } of gone) this.#removeUnknown(sha256)
    for await (const sha256 of this.#blobs.before(day)) this.#removeUnknown(sha256)
  }
}
