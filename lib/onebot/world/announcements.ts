import type { OneBotNewFile } from '../../../include-types/onebot.ts'
import type { OneBotAnnouncement, OneBotNotices } from '../../../include-types/onebot-parts.ts'
import type { World } from '../../chat/world.ts'
import type { BotMeans } from './means.ts'
import { toPerson, toSeconds } from './reading.ts'
import { asking, changing } from './refusals.ts'

/** What a bot announces in channels. */
export class WorldNotices implements OneBotNotices {
  readonly #world: World
  readonly #means: BotMeans

  constructor(world: World, means: BotMeans) {
    this.#world = world
    this.#means = means
  }

  list(group: number): OneBotAnnouncement[] {
    const { channelId } = this.#means.group(group)
    return asking('GROUP_NOT_FOUND', () => this.#world.notices.list(this.#means.bot, channelId)).map(
      ({ id, author_id, content, file_id, pinned, created_at }) => ({
        id,
        author: toPerson(this.#world, author_id),
        content,
        image: file_id === null ? null : this.#means.find(file_id),
        pinned: pinned === 1,
        at: toSeconds(created_at),
      }),
    )
  }

  async add(group: number, content: string, image: OneBotNewFile | null, pinned: boolean): Promise<string> {
    const { channelId } = this.#means.group(group)
    const { bot } = this.#means
    const { files, notices } = this.#world
    const file = image === null ? null : (await this.#means.store(image)).id
    const { id } = await this.#change(() => {
      if (file !== null) files.place(bot, channelId, [file])
      return notices.add(bot, channelId, content, file, pinned)
    })
    return id
  }

  remove(group: number, id: string): Promise<void> {
    const { channelId } = this.#means.group(group)
    return this.#change(() => this.#world.notices.remove(this.#means.bot, channelId, id))
  }

  #change<T>(change: () => T): Promise<T> {
    return changing(this.#world, 'MESSAGE_NOT_FOUND', change)
  }
}
