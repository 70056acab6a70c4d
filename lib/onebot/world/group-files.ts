import type { OneBotFile, OneBotNewFile } from '../../../include-types/onebot.ts'
import type { OneBotFolder, OneBotGroupFile, OneBotGroupFiles } from '../../../include-types/onebot-parts.ts'
import type { GroupFile, GroupFolder } from '../../chat/group-files.ts'
import type { World } from '../../chat/world.ts'
import type { Group } from './groups.ts'
import { toPerson } from './marks.ts'
import { toSeconds } from './reading.ts'
import { asking, toReason } from './refusals.ts'

/** What a bot needs of itself for that. */
export interface Shelf {
  readonly bot: string
  group(id: number): Group
  store(file: OneBotNewFile): Promise<OneBotFile>
  /** Says that a file is there; resolves when that is done. */
  say(group: number, file: OneBotFile): Promise<number>
  find(id: string): OneBotFile
}

/** Files of the channels that a bot sees. */
export class WorldGroupFiles implements OneBotGroupFiles {
  readonly #world: World
  readonly #shelf: Shelf

  constructor(world: World, shelf: Shelf) {
    this.#world = world
    this.#shelf = shelf
  }

  list(group: number, folder: string, count: number) {
    const { channelId } = this.#shelf.group(group)
    const { groupFiles } = this.#world
    const found = asking('FILE_NOT_FOUND', () => groupFiles.list(this.#shelf.bot, channelId, folder, count))
    return {
      files: found.files.map((file) => this.#toFile(file)),
      folders: found.folders.map((one) => this.#toFolder(one)),
    }
  }

  usage(group: number) {
    const { channelId } = this.#shelf.group(group)
    return this.#world.groupFiles.usage(this.#shelf.bot, channelId)
  }

  /** A message has it, which people see. */
  async upload(group: number, given: OneBotNewFile, folder: string): Promise<string> {
    const { channelId } = this.#shelf.group(group)
    if (folder !== '') this.list(group, folder, 0)
    const file = await this.#shelf.store(given)
    await this.#shelf.say(group, file)
    const { groupFiles } = this.#world
    if (folder !== '') await this.#change(() => groupFiles.change(this.#shelf.bot, channelId, file.id, { folder }))
    return file.id
  }

  async link(group: number, id: string): Promise<string> {
    const { channelId } = this.#shelf.group(group)
    asking('FILE_NOT_FOUND', () => this.#world.groupFiles.get(this.#shelf.bot, channelId, id))
    await this.#change(() => this.#world.groupFiles.count(id))
    return this.#shelf.find(id).url
  }

  move(group: number, id: string, folder: string): Promise<void> {
    const { channelId } = this.#shelf.group(group)
    return this.#change(() => this.#world.groupFiles.change(this.#shelf.bot, channelId, id, { folder }))
  }

  rename(group: number, id: string, name: string): Promise<void> {
    const { channelId } = this.#shelf.group(group)
    return this.#change(() => this.#world.groupFiles.change(this.#shelf.bot, channelId, id, { name }))
  }

  remove(group: number, id: string): Promise<void> {
    const { channelId } = this.#shelf.group(group)
    return this.#change(() => this.#world.groupFiles.remove(this.#shelf.bot, channelId, id))
  }

  async makeFolder(group: number, name: string): Promise<OneBotFolder> {
    const { channelId } = this.#shelf.group(group)
    const { groupFiles } = this.#world
    return this.#toFolder(await this.#change(() => groupFiles.makeFolder(this.#shelf.bot, channelId, name, '')))
  }

  removeFolder(group: number, id: string): Promise<void> {
    const { channelId } = this.#shelf.group(group)
    return this.#change(() => this.#world.groupFiles.removeFolder(this.#shelf.bot, channelId, id))
  }

  async #change<T>(change: () => T): Promise<T> {
    try {
      return await this.#world.changes.run(change)
    } catch (error) {
      throw toReason(error, 'FILE_NOT_FOUND', 'FILE_SYSTEM_API_ERROR')
    }
  }

  #toFile({ id, name, size, uploader_id, downloads, created_at, modified_at }: GroupFile): OneBotGroupFile {
    const times = { uploadedAt: toSeconds(created_at), modifiedAt: toSeconds(modified_at) }
    return { id, name, size, downloads, ...times, uploader: toPerson(this.#world, uploader_id) }
  }

  #toFolder({ id, name, creator_id, created_at, files }: GroupFolder): OneBotFolder {
    return { id, name, files, createdAt: toSeconds(created_at), creator: toPerson(this.#world, creator_id) }
  }
}
