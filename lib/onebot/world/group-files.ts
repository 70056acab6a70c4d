import type { OneBotNewFile } from '../../../include-types/onebot.ts'
import type { OneBotFolder, OneBotGroupFile, OneBotGroupFiles } from '../../../include-types/onebot-parts.ts'
import type { GroupFile, GroupFolder } from '../../chat/group-files.ts'
import type { World } from '../../chat/world.ts'
import type { BotMeans } from './means.ts'
import { toPerson, toSeconds } from './reading.ts'
import { asking, changing } from './refusals.ts'

/** Files of the channels that a bot sees. */
export class WorldGroupFiles implements OneBotGroupFiles {
  readonly #world: World
  readonly #means: BotMeans

  constructor(world: World, means: BotMeans) {
    this.#world = world
    this.#means = means
  }

  list(group: number, folder: string, count: number) {
    const { channelId } = this.#means.group(group)
    const { groupFiles } = this.#world
    const found = asking('FILE_NOT_FOUND', () => groupFiles.list(this.#means.bot, channelId, folder, count))
    return {
      files: found.files.map((file) => this.#toFile(file)),
      folders: found.folders.map((one) => this.#toFolder(one)),
    }
  }

  usage(group: number) {
    const { channelId } = this.#means.group(group)
    return this.#world.groupFiles.usage(this.#means.bot, channelId)
  }

  /** A message has it, which people see. */
  async upload(group: number, given: OneBotNewFile, folder: string): Promise<string> {
    const { channelId } = this.#means.group(group)
    if (folder !== '') this.list(group, folder, 0)
    const file = await this.#means.store(given)
    await this.#means.say(group, file)
    const { groupFiles } = this.#world
    if (folder !== '') await this.#change(() => groupFiles.change(this.#means.bot, channelId, file.id, { folder }))
    return file.id
  }

  async link(group: number, id: string): Promise<string> {
    const { channelId } = this.#means.group(group)
    asking('FILE_NOT_FOUND', () => this.#world.groupFiles.get(this.#means.bot, channelId, id))
    await this.#change(() => this.#world.groupFiles.count(id))
    return this.#means.find(id).url
  }

  move(group: number, id: string, folder: string): Promise<void> {
    const { channelId } = this.#means.group(group)
    return this.#change(() => this.#world.groupFiles.change(this.#means.bot, channelId, id, { folder }))
  }

  rename(group: number, id: string, name: string): Promise<void> {
    const { channelId } = this.#means.group(group)
    return this.#change(() => this.#world.groupFiles.change(this.#means.bot, channelId, id, { name }))
  }

  remove(group: number, id: string): Promise<void> {
    const { channelId } = this.#means.group(group)
    return this.#change(() => this.#world.groupFiles.remove(this.#means.bot, channelId, id))
  }

  async makeFolder(group: number, name: string): Promise<OneBotFolder> {
    const { channelId } = this.#means.group(group)
    const { groupFiles } = this.#world
    return this.#toFolder(await this.#change(() => groupFiles.makeFolder(this.#means.bot, channelId, name, '')))
  }

  removeFolder(group: number, id: string): Promise<void> {
    const { channelId } = this.#means.group(group)
    return this.#change(() => this.#world.groupFiles.removeFolder(this.#means.bot, channelId, id))
  }

  #change<T>(change: () => T): Promise<T> {
    return changing(this.#world, 'FILE_NOT_FOUND', change, 'FILE_SYSTEM_API_ERROR')
  }

  #toFile({ id, name, size, uploader_id, downloads, created_at, modified_at }: GroupFile): OneBotGroupFile {
    const times = { uploadedAt: toSeconds(created_at), modifiedAt: toSeconds(modified_at) }
    return { id, name, size, downloads, ...times, uploader: toPerson(this.#world, uploader_id) }
  }

  #toFolder({ id, name, creator_id, created_at, files }: GroupFolder): OneBotFolder {
    return { id, name, files, createdAt: toSeconds(created_at), creator: toPerson(this.#world, creator_id) }
  }
}
