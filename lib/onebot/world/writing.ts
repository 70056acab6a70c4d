import type { OneBotForwardNode, OneBotSegment } from '../../../include-types/onebot.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError, type Reason } from '../failure.ts'
import { numberOf } from '../message/input.ts'
import { toPlain } from '../message/plain.ts'
import { parseSegments } from './content.ts'
import type { Group } from './groups.ts'
import { toReason } from './refusals.ts'

/** Bytes of what a message is made of, as JSON: what people read is 4,000 characters, cards are longer. */
const MAX_SEGMENTS = 131_072

/** A message as the world has it. */
interface Draft {
  readonly content: string
  readonly segments: string | null
}

/** What a bot says in the world. */
export class Writer {
  readonly #world: World
  readonly #bot: string
  readonly #strictFriends: boolean

  constructor(world: World, bot: string, strictFriends: boolean) {
    this.#world = world
    this.#bot = bot
    this.#strictFriends = strictFriends
  }

  toGroup({ channelId }: Group, segments: readonly OneBotSegment[]): Promise<number> {
    const { messages } = this.#world
    return this.#change('GROUP_NOT_FOUND', () => {
      const target = this.#find(segments, (num) => {
        const { id, channel_id } = messages.byNum(this.#bot, num)
        return channel_id === channelId ? id : null
      })
      const draft = this.#toDraft(target === null ? segments.filter(({ type }) => type !== 'reply') : segments)
      return messages.post(this.#bot, channelId, { ...draft, replyTo: target }).num
    })
  }

  /** Whoever it is, unless it has to be a friend. */
  toUser(userId: number, segments: readonly OneBotSegment[]): Promise<number> {
    const { users, directs, friends } = this.#world
    const user = users.byNum(userId)
    if (user === null) throw new PlatformError('USER_NOT_FOUND')
    if (this.#strictFriends && !friends.are(this.#bot, user.id)) throw new PlatformError('FRIEND_NOT_FOUND')
    // As in NapCat: nobody else is there to be called.
    const said = segments.filter(({ type }) => type !== 'at')
    if (said.length === 0) throw new PlatformError('EMPTY_MSG_ERROR')
    return this.#change('USER_NOT_FOUND', () => {
      const { id } = directs.open(this.#bot, user.id).direct
      const target = this.#find(said, (num) => {
        const message = directs.byNum(this.#bot, num)
        return message.channel_id === id ? message.id : null
      })
      const draft = this.#toDraft(target === null ? said.filter(({ type }) => type !== 'reply') : said)
      return directs.post(this.#bot, id, { ...draft, replyTo: target }).num
    })
  }

  async #change<T>(missing: Reason, change: () => T): Promise<T> {
    try {
      return await this.#world.changes.run(change)
    } catch (error) {
      throw toReason(error, missing)
    }
  }

  /** What is answered; null where that is not there: then it is an answer to nothing. */
  #find(segments: readonly OneBotSegment[], find: (num: number) => string | null): string | null {
    const reply = segments.find(({ type }) => type === 'reply')
    const num = reply === undefined ? null : numberOf(reply, 'seq', 'id')
    if (num === null) return null
    try {
      return find(num)
    } catch {
      return null
    }
  }

  #toDraft(segments: readonly OneBotSegment[]): Draft {
    const content = toPlain(segments, (id) => this.#world.users.byNum(id)?.username ?? null)
    const [first] = segments
    // What is no more than its text is read from that again.
    if (segments.length === 1 && first?.type === 'text' && !content.includes('@')) return { content, segments: null }
    const json = JSON.stringify(segments.map(toWritten))
    if (Buffer.byteLength(json) > MAX_SEGMENTS) {
      throw new PlatformError('SEND_MSG_API_ERROR', `a message is made of ${MAX_SEGMENTS} bytes at most`)
    }
    return { content, segments: json }
  }

  async recall(num: number): Promise<void> {
    const { messages, directs } = this.#world
    await this.#change('MESSAGE_NOT_FOUND', () => {
      const id = this.#find([{ type: 'reply', data: { id: num } }], (one) => messages.byNum(this.#bot, one).id)
      if (id !== null) return messages.remove(this.#bot, id)
      const direct = directs.byNum(this.#bot, num)
      if (direct.author_id !== this.#bot) throw new PlatformError('CANNOT_RECALL_FRIEND_MSG')
      directs.remove(this.#bot, direct.channel_id, direct.id)
    })
  }
}

/** Numbers and flags are text for clients; what has parts stays as it is. */
const toWritten = ({ type, data }: OneBotSegment): OneBotSegment => ({
  type,
  data: Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      typeof value === 'number' || typeof value === 'boolean' ? String(value) : value,
    ]),
  ),
})

/** Keeps messages that are sent on together; their bundle's id. */
export async function forwardOf(world: World, bot: string, nodes: readonly OneBotForwardNode[]): Promise<string> {
  const kept = nodes.map(({ userId, nickname, time, segments }) => ({
    user_num: userId,
    nickname,
    sent_at: time,
    segments: JSON.stringify(segments.map(toWritten)),
  }))
  if (kept.reduce((sum, { segments }) => sum + segments.length, 0) > 8 * MAX_SEGMENTS) {
    throw new PlatformError('SEND_MSG_API_ERROR', `a bundle is made of ${8 * MAX_SEGMENTS} bytes at most`)
  }
  try {
    return await world.changes.run(() => world.forwards.make(bot, kept))
  } catch (error) {
    throw toReason(error, 'EMPTY_NODES')
  }
}

export const readForward = (world: World, id: string): OneBotForwardNode[] =>
  world.forwards.nodes(id).map(({ user_num, nickname, sent_at, segments }) => ({
    userId: user_num,
    nickname,
    time: sent_at,
    segments: parseSegments(segments) ?? [],
  }))
