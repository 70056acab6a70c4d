import { type Access, needs, type Seen } from './access.ts'
import { isClean, isWithin } from './content.ts'
import { type Core, createdAt } from './core.ts'
import { isLastPart } from './file-names.ts'
import type { AttachedFile, Files } from './files.ts'
import { toTime } from './ids.ts'
import { MAX_FILE_NAME, MAX_FOLDERS } from './limits.ts'
import { ATTACH_FILES, MANAGE_MESSAGES } from './permissions.ts'
import { notFound, Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'
import { sqliteCode } from './store/sqlite.ts'

/** A file that was sent in a channel, as one finds it there later. */
export interface GroupFile {
  readonly id: string
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** '': the root. */
  readonly folder_id: string
  readonly uploader_id: string | null
  readonly downloads: number
  readonly created_at: string
  readonly modified_at: string
}

export interface GroupFolder {
  readonly id: string
  readonly name: string
  readonly parent_id: string
  readonly creator_id: string | null
  readonly created_at: string
  /** How many are in it. */
  readonly files: number
}

const COLUMNS = [
  'g.file_id as id',
  'g.name',
  'b.size',
  'g.folder_id',
  'g.uploader_id',
  'g.downloads',
  'g.created_at',
  'g.modified_at',
] as const

/** The files of channels in their folders: those of messages that are neither images nor sounds nor films. */
export class GroupFiles {
  readonly #core: Core
  readonly #access: Access
  /** All that there are. */
  readonly files: Files
  readonly #inFolder
  readonly #byId
  readonly #usage
  readonly #foldersIn
  readonly #folder
  readonly #folderCount
  readonly #insert
  readonly #update
  readonly #count
  readonly #insertFolder
  readonly #dropFolder
  readonly #below

  constructor(core: Core, access: Access, files: Files) {
    this.#core = core
    this.#access = access
    this.files = files
    const { db } = core
    this.#inFolder = db.all((q, p: Param<{ channel: string; folder: string; limit: number }>) =>
      q
        .selectFrom('group_files as g')
        .innerJoin('files as f', 'f.id', 'g.file_id')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .select(COLUMNS)
        .where('g.channel_id', '=', p('channel'))
        .where('g.folder_id', '=', p('folder'))
        .orderBy('g.file_id', 'desc')
        .limit(p('limit')),
    )
    this.#byId = db.first((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('group_files as g')
        .innerJoin('files as f', 'f.id', 'g.file_id')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .select(COLUMNS)
        .select('g.channel_id')
        .where('g.file_id', '=', p('id')),
    )
    this.#usage = db.first((q, p: Param<{ channel: string }>) =>
      q
        .selectFrom('group_files as g')
        .innerJoin('files as f', 'f.id', 'g.file_id')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .where('g.channel_id', '=', p('channel'))
        .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number | null>('b.size').as('bytes')]),
    )
    this.#foldersIn = db.all((q, p: Param<{ channel: string; parent: string }>) =>
      q
        .selectFrom('group_folders as d')
        .select(['d.id', 'd.name', 'd.parent_id', 'd.creator_id', 'd.created_at'])
        .select((eb) =>
          eb
            .selectFrom('group_files as g')
            .whereRef('g.channel_id', '=', 'd.channel_id')
            .whereRef('g.folder_id', '=', 'd.id')
            .select(({ fn }) => fn.countAll<number>().as('files'))
            .as('files'),
        )
        .where('d.channel_id', '=', p('channel'))
        .where('d.parent_id', '=', p('parent'))
        .orderBy('d.name'),
    )
    this.#folder = db.first((q, p: Param<{ id: string }>) =>
      q.selectFrom('group_folders').select(['channel_id', 'parent_id']).where('id', '=', p('id')),
    )
    this.#folderCount = db.first((q, p: Param<{ channel: string }>) =>
      q
        .selectFrom('group_folders')
        .where('channel_id', '=', p('channel'))
        .select(({ fn }) => fn.countAll<number>().as('count')),
    )
    this.#insert = db.run(
      (q, p: Param<{ file: string; channel: string; folder: string; name: string; uploader: string; at: string }>) =>
        q
          .insertInto('group_files')
          .values({
            file_id: p('file'),
            channel_id: p('channel'),
            folder_id: p('folder'),
            name: p('name'),
            uploader_id: p('uploader'),
            downloads: 0,
            created_at: p('at'),
            modified_at: p('at'),
          })
          .onConflict((on) => on.doNothing()),
    )
    this.#update = db.run((q, p: Param<{ file: string; folder: string; name: string; at: string }>) =>
      q
        .updateTable('group_files')
        .set({ folder_id: p('folder'), name: p('name'), modified_at: p('at') })
        .where('file_id', '=', p('file')),
    )
    this.#count = db.run((q, p: Param<{ file: string }>) =>
      q
        .updateTable('group_files')
        .set((eb) => ({ downloads: eb('downloads', '+', 1) }))
        .where('file_id', '=', p('file')),
    )
    this.#insertFolder = db.run(
      (q, p: Param<{ id: string; channel: string; parent: string; name: string; creator: string; at: string }>) =>
        q.insertInto('group_folders').values({
          id: p('id'),
          channel_id: p('channel'),
          parent_id: p('parent'),
          name: p('name'),
          creator_id: p('creator'),
          created_at: p('at'),
        }),
    )
    this.#dropFolder = db.run((q, p: Param<{ id: string }>) => q.deleteFrom('group_folders').where('id', '=', p('id')))
    this.#below = db.all((q, p: Param<{ channel: string; folder: string }>) =>
      q
        .selectFrom('group_files')
        .select('file_id as id')
        .where('channel_id', '=', p('channel'))
        .where('folder_id', '=', p('folder')),
    )
  }

  /** What is in a folder, the newest first; '' is the root. NOT_FOUND where there is no such folder. */
  list(user: string, channel: string, folder: string, limit: number): { files: GroupFile[]; folders: GroupFolder[] } {
    this.#access.channel(user, channel)
    if (folder !== '') this.#checkFolder(channel, folder)
    const folders = this.#foldersIn({ channel, parent: folder }).map((one) => ({ ...one, files: one.files ?? 0 }))
    return { files: this.#inFolder({ channel, folder, limit }), folders }
  }

  /** All files of a channel, and their bytes. */
  usage(user: string, channel: string): { readonly count: number; readonly bytes: number } {
    this.#access.channel(user, channel)
    const { count = 0, bytes = null } = this.#usage({ channel }) ?? {}
    return { count, bytes: bytes ?? 0 }
  }

  get(user: string, channel: string, id: string): GroupFile {
    this.#access.channel(user, channel)
    return this.#known(channel, id)
  }

  #known(channel: string, id: string): GroupFile {
    const file = this.#byId({ id })
    if (file === undefined || file.channel_id !== channel) throw notFound()
    const { channel_id: _, ...known } = file
    return known
  }

  #checkFolder(channel: string, id: string): void {
    if (this.#folder({ id })?.channel_id !== channel) throw new Refusal('NOT_FOUND', 'There is no such folder')
  }

  // Changes

  /** A message of the channel has them from now on. */
  attach(user: string, channel: string, message: number, ids: readonly string[]): AttachedFile[] {
    const files = this.files.attach(message, ids)
    const at = toTime(this.#core.now())
    for (const { id, name, kind } of files) {
      if (kind === 'file') this.#insert({ file: id, channel, folder: '', name, uploader: user, at })
    }
    return files
  }

  /** To another folder, or under another name: one's own, or any with MANAGE_MESSAGES. */
  change(user: string, channel: string, id: string, { folder, name }: { folder?: string; name?: string }): void {
    const file = this.#mine(user, channel, id)
    if (folder !== undefined && folder !== '') this.#checkFolder(channel, folder)
    if (name !== undefined) checkName(name)
    const at = toTime(this.#core.now())
    this.#update({ file: id, folder: folder ?? file.folder_id, name: name ?? file.name, at })
  }

  /** For good; the message that it came with stays. */
  remove(user: string, channel: string, id: string): void {
    this.#mine(user, channel, id)
    this.files.drop(id)
  }

  #mine(user: string, channel: string, id: string): GroupFile {
    const seen = this.#access.channel(user, channel)
    const file = this.#known(channel, id)
    if (file.uploader_id !== user) needs(seen, MANAGE_MESSAGES)
    return file
  }

  /** Somebody was given its link. */
  count(file: string): void {
    this.#count({ file })
  }

  /** CONFLICT where the name is taken there. */
  makeFolder(user: string, channel: string, name: string, parent: string): GroupFolder {
    const seen = this.#mayArrange(user, channel)
    checkName(name)
    // As in QQ: folders are in the root only.
    if (parent !== '') throw new Refusal('INVALID', 'A folder is in the root')
    if ((this.#folderCount({ channel })?.count ?? 0) >= MAX_FOLDERS) {
      throw new Refusal('LIMIT', `A channel has ${MAX_FOLDERS} folders at most`)
    }
    const id = this.#core.ids.next()
    const at = createdAt(id)
    try {
      this.#insertFolder({ id, channel: seen.id, parent, name, creator: user, at })
    } catch (error) {
      if (sqliteCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      throw new Refusal('CONFLICT', 'There is a folder of this name')
    }
    return { id, name, parent_id: parent, creator_id: user, created_at: at, files: 0 }
  }

  /** With all that is in it. */
  removeFolder(user: string, channel: string, id: string): void {
    this.#mayArrange(user, channel)
    this.#checkFolder(channel, id)
    for (const file of this.#below({ channel, folder: id })) this.files.drop(file.id)
    this.#dropFolder({ id })
  }

  #mayArrange(user: string, channel: string): Seen {
    return needs(this.#access.channel(user, channel), ATTACH_FILES | MANAGE_MESSAGES)
  }
}

function checkName(name: string): void {
  if (!isClean(name) || !/\S/u.test(name) || !isLastPart(name) || /^\.+$/.test(name)) {
    throw new Refusal('INVALID', 'Not a name of a file')
  }
  if (!isWithin(name, MAX_FILE_NAME)) throw new Refusal('INVALID', `A name has ${MAX_FILE_NAME} characters at most`)
}
