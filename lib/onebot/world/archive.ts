import type { OneBotFile, OneBotMessage } from '../../../include-types/onebot.ts'
import type { StoredFile } from '../../chat/store/files.ts'
import type { World } from '../../chat/world.ts'
import { isTold, PlatformError } from '../failure.ts'
import { toEmojiId } from './emoji.ts'
import type { Group, Groups } from './groups.ts'
import { toGroupMessage, toPrivateMessage } from './reading.ts'
import { asking } from './refusals.ts'

/** What was said and sent where a bot sees it. */
export class Archive {
  readonly #world: World
  readonly #bot: string
  readonly #groups: Groups
  readonly #base: () => string

  /** @param base what links to files begin with */
  constructor(world: World, bot: string, groups: Groups, base: () => string) {
    this.#world = world
    this.#bot = bot
    this.#groups = groups
    this.#base = base
  }

  message(id: number): OneBotMessage {
    return asking('MESSAGE_NOT_FOUND', () =>
      this.#world.history.isOfChannel(id) ? this.#groupMessage(id) : this.#privateMessage(id),
    )
  }

  #groupMessage(id: number): OneBotMessage {
    const { messages, reactions } = this.#world
    const message = messages.byNum(this.#bot, id)
    const group = this.#groups.byChannel(message.channel_id)
    if (group === null) throw new PlatformError('MESSAGE_NOT_FOUND')
    const likes = reactions.list(this.#bot, message.channel_id, message.id)
    const found = toGroupMessage(this.#world, group, message, this.#base())
    return { ...found, reactions: likes.map(({ emoji, count }) => ({ emojiId: toEmojiId(emoji), count })) }
  }

  #privateMessage(id: number): OneBotMessage {
    const { directs } = this.#world
    const message = directs.byNum(this.#bot, id)
    const direct = directs.get(this.#bot, message.channel_id)
    return toPrivateMessage(this.#world, this.#bot, direct, message, this.#base())
  }

  /** The oldest first, up to a message, or a place in the chat. */
  ofGroup({ id, channelId }: Group, upTo: number | null, count: number): OneBotMessage[] {
    const last = this.#placeOf(upTo, ({ group }) => group?.id === id)
    return this.#world.history.ofChannel(channelId, last, count).map((one) => this.message(one))
  }

  ofUser(userId: number, upTo: number | null, count: number): OneBotMessage[] {
    const { users, directs, history } = this.#world
    const user = users.byNum(userId)
    const direct = user === null ? null : directs.between(this.#bot, user.id)
    if (direct === null) return []
    const last = this.#placeOf(upTo, ({ peer }) => peer === userId)
    return history.ofDirect(direct.id, last, count).map((one) => this.message(one))
  }

  /** What is named may be the number of a message there, else it is a place. */
  #placeOf(upTo: number | null, isThere: (message: OneBotMessage) => boolean): number | null {
    if (upTo === null) return null
    try {
      const message = this.message(upTo)
      return isThere(message) ? message.seq : upTo
    } catch (error) {
      if (isTold(error)) return upTo
      throw error
    }
  }

  file(name: string): OneBotFile {
    const { files } = this.#world
    const file = files.find(name)
    if (file === null || !this.#maySee(file)) throw new PlatformError('FILE_NOT_FOUND')
    const [attached] = files.read([name])
    return {
      id: file.id,
      name: file.name,
      size: file.size,
      kind: file.kind,
      mime: file.mime,
      path: files.pathOf(file),
      url: `${this.#base()}${attached?.url ?? ''}`,
    }
  }

  #maySee(file: StoredFile): boolean {
    const { owner_id, channel_id: channel } = file
    // Its own, which no message has yet.
    if (owner_id === this.#bot) return true
    const { access, directs, files } = this.#world
    if (channel === null || !files.isShown(file)) return false
    return access.see(this.#bot, channel) !== null || directs.find(this.#bot, channel) !== null
  }
}
