import type { OneBotFile, OneBotNewFile } from '../../../include-types/onebot.ts'
import type { OneBotAnnouncement, OneBotNotices } from '../../../include-types/onebot-parts.ts'
import type { World } from '../../chat/world.ts'
import type { Group } from './groups.ts'
import { toPerson } from './marks.ts'
import { toSeconds } from './reading.ts'
import { asking, toReason } from './refusals.ts'

/** What a bot needs of itself for that. */
interface Means {
  readonly bot: string
  group(id: number): Group
  store(file: OneBotNewFile): Promise<OneBotFile>
  find(id: string): OneBotFile
}

/** What a bot announces in channels. */
export class WorldNotices implements OneBotNotices {
  readonly #world: World
  readonly #means: Means

  constructor(world: World, means: Means) {
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

  async #change<T>(change: () => T): Promise<T> {
    try {
      return await this.#world.changes.run(change)
    } catch (error) {
      throw toReason(error, 'MESSAGE_NOT_FOUND')
    }
  }
}
