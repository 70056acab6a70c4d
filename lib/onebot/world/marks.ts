import type { OneBotTarget } from '../../../include-types/onebot.ts'
import type { OneBotMarks, OneBotPerson, OneBotPin } from '../../../include-types/onebot-parts.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError } from '../failure.ts'
import { toEmoji, toEmojiId } from './emoji.ts'
import type { BotMeans } from './means.ts'
import { findUser, toPerson, toSeconds } from './reading.ts'
import { asking, changing } from './refusals.ts'

/** What a bot pins, says to messages with an emoji, and has read. */
export class WorldMarks implements OneBotMarks {
  readonly #world: World
  readonly #means: BotMeans

  constructor(world: World, means: BotMeans) {
    this.#world = world
    this.#means = means
  }

  pinned(group: number): OneBotPin[] {
    const { channelId } = this.#means.group(group)
    return this.#world.messages.pinned(this.#means.bot, channelId).map(({ num, pinned_by, pinned_at }) => ({
      message: this.#means.message(num),
      by: toPerson(this.#world, pinned_by),
      at: toSeconds(pinned_at),
    }))
  }

  pin(message: number, on: boolean): Promise<void> {
    const { id, channel_id } = this.#inGroup(message)
    const { messages } = this.#world
    const { bot } = this.#means
    return this.#change(() => (on ? messages.pin(bot, channel_id, id) : messages.unpin(bot, channel_id, id)))
  }

  react(message: number, emoji: string, on: boolean): Promise<void> {
    const { id, channel_id } = this.#inGroup(message)
    const { reactions } = this.#world
    const { bot } = this.#means
    const name = toEmoji(emoji)
    if (name === null) throw new PlatformError('SEND_MSG_API_ERROR', 'is no number of an emoji')
    return this.#change(() =>
      on ? reactions.add(bot, channel_id, id, name) : reactions.remove(bot, channel_id, id, name),
    )
  }

  reactors(message: number, emoji: string): OneBotPerson[] {
    const { id, channel_id } = this.#inGroup(message)
    return this.#world.reactions
      .all(this.#means.bot, channel_id, id)
      .filter((one) => toEmojiId(one.emoji) === emoji)
      .map(({ user_id }) => toPerson(this.#world, user_id))
  }

  async readUpTo(message: number): Promise<void> {
    const { history, messages, directs, unreads } = this.#world
    const { bot } = this.#means
    await this.#change(() => {
      if (history.isOfChannel(message)) {
        const { id, channel_id } = messages.byNum(bot, message)
        unreads.readChannel(bot, channel_id, id)
      } else {
        const { id, channel_id } = directs.byNum(bot, message)
        unreads.readDirect(bot, channel_id, id)
      }
    })
  }

  async readAll(target: OneBotTarget | null): Promise<void> {
    const { bot, groups } = this.#means
    const { directs, unreads } = this.#world
    const channels = target === null ? groups.all : 'group' in target ? [this.#means.group(target.group)] : []
    const user = target !== null && 'user' in target ? findUser(this.#world, target.user) : null
    const direct = user === null ? null : directs.between(bot, user.id)
    const chats = target === null ? directs.of(bot) : direct === null ? [] : [direct]
    await this.#change(() => {
      for (const { channelId } of channels) unreads.readChannel(bot, channelId, null)
      for (const { id } of chats) unreads.readDirect(bot, id, null)
    })
  }

  /** Direct ones cannot be marked. */
  #inGroup(num: number) {
    const { history, messages, directs } = this.#world
    return asking('MESSAGE_NOT_FOUND', () => {
      if (history.isOfChannel(num)) return messages.byNum(this.#means.bot, num)
      directs.byNum(this.#means.bot, num)
      throw new PlatformError('PERMISSION_DENIED', 'only messages of groups can be marked')
    })
  }

  async #change(change: () => unknown): Promise<void> {
    await changing(this.#world, 'MESSAGE_NOT_FOUND', change)
  }
}
