import type { OneBotForwardNode, OneBotSegment } from '../../../include-types/onebot.ts'
import { MAX_MESSAGE_FILES } from '../../chat/limits.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError, type Reason } from '../failure.ts'
import { numberOf } from '../message/input.ts'
import { flatten } from '../message/inside.ts'
import { toPlain } from '../message/plain.ts'
import { parseSegments, withFiles } from './content.ts'
import type { Group } from './groups.ts'
import { findUser } from './reading.ts'
import { changing } from './refusals.ts'

/** Bytes of what a message is made of, as JSON: what people read is 4,000 characters, cards are longer. */
const MAX_SEGMENTS = 131_072

/** The same of a bundle. */
const MAX_BUNDLE = 1_048_576

/** Files of a bundle. */
const MAX_BUNDLE_FILES = 100

const withoutReply = (segments: readonly OneBotSegment[]): OneBotSegment[] =>
  segments.filter(({ type }) => type !== 'reply')

/** What says something somewhere: the number of the message. */
interface Posting {
  /** Of what is not there. */
  readonly missing: Reason
  /** @param files beside those of the segments */
  readonly post: (segments: readonly OneBotSegment[], files?: readonly string[]) => number
}

/** A message as the world has it. */
interface Draft {
  readonly content: string
  readonly segments: string | null
  readonly files: readonly string[]
  readonly maxFiles: number
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

  /** @param place a group, or somebody's number */
  send(place: Group | number, segments: readonly OneBotSegment[]): Promise<number> {
    const { missing, post } = this.#toPost(place)
    return changing(this.#world, missing, () => post(segments))
  }

  /** Several messages at once: a bundle, and the message that has it. */
  sendForward(place: Group | number, nodes: readonly OneBotForwardNode[]) {
    const { missing, post } = this.#toPost(place)
    // A message that is named often is in it as often.
    if (nodes.reduce((sum, { segments }) => sum + sizeOf(segments), 0) > MAX_BUNDLE) throw tooLong()
    const kept = toKept(nodes)
    if (kept.reduce((sum, { segments }) => sum + Buffer.byteLength(segments), 0) > MAX_BUNDLE) throw tooLong()
    return changing(this.#world, missing, () => {
      const forward = this.#world.forwards.make(this.#bot, kept)
      const files = flatten(nodes.flatMap(({ segments }) => segments)).flatMap((segment) => this.#fileOf(segment) ?? [])
      return { id: post([{ type: 'forward', data: { id: forward } }], files), forward }
    })
  }

  /** What says something there, inside a change; throws where nothing can be said. */
  #toPost(place: Group | number): Posting {
    return typeof place === 'number'
      ? { missing: 'USER_NOT_FOUND', post: this.#toUser(place) }
      : { missing: 'GROUP_NOT_FOUND', post: this.#toGroup(place) }
  }

  #toGroup({ channelId }: Group): Posting['post'] {
    const { messages } = this.#world
    return (segments, more = []) => {
      const target = this.#find(segments, (num) => {
        const { id, channel_id } = messages.byNum(this.#bot, num)
        return channel_id === channelId ? id : null
      })
      const draft = this.#toDraft(target === null ? withoutReply(segments) : segments, more)
      this.#world.files.place(this.#bot, channelId, draft.files)
      return messages.post(this.#bot, channelId, { ...draft, replyTo: target }).num
    }
  }

  /** Whoever it is, unless it has to be a friend. */
  #toUser(userId: number): Posting['post'] {
    const { directs, friends } = this.#world
    const user = findUser(this.#world, userId)
    if (this.#strictFriends && !friends.are(this.#bot, user.id)) throw new PlatformError('FRIEND_NOT_FOUND')
    return (segments, more = []) => {
      // As in NapCat: nobody else is there to be called.
      const said = segments.filter(({ type }) => type !== 'at')
      if (said.length === 0) throw new PlatformError('EMPTY_MSG_ERROR')
      const { id } = directs.open(this.#bot, user.id).direct
      const target = this.#find(said, (num) => {
        const message = directs.byNum(this.#bot, num)
        return message.channel_id === id ? message.id : null
      })
      const draft = this.#toDraft(target === null ? withoutReply(said) : said, more)
      this.#world.files.place(this.#bot, id, draft.files)
      return directs.post(this.#bot, id, { ...draft, replyTo: target }).num
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

  #toDraft(segments: readonly OneBotSegment[], more: readonly string[]): Draft {
    const files = [...segments.flatMap((segment) => this.#fileOf(segment) ?? []), ...more]
    const maxFiles = more.length > 0 ? MAX_BUNDLE_FILES : MAX_MESSAGE_FILES
    // People see files themselves.
    const words = segments.filter((segment) => this.#fileOf(segment) === null)
    const content = toPlain(words, (id) => this.#world.users.byNum(id)?.username ?? null)
    const [first] = segments
    // What is no more than its text is read from that again.
    if (segments.length === 1 && first?.type === 'text' && !content.includes('@'))
      return { content, segments: null, files, maxFiles }
    const json = JSON.stringify(segments.map(toWritten))
    if (Buffer.byteLength(json) > MAX_SEGMENTS) {
      throw new PlatformError('SEND_MSG_API_ERROR', `a message is made of ${MAX_SEGMENTS} bytes at most`)
    }
    return { content, segments: json, files, maxFiles }
  }

  /** The file of a segment that is kept. */
  #fileOf({ data }: OneBotSegment): string | null {
    const id = data['file_id']
    return typeof id === 'string' && this.#world.files.find(id)?.owner_id === this.#bot ? id : null
  }

  async recall(num: number): Promise<void> {
    const { messages, directs } = this.#world
    await changing(this.#world, 'MESSAGE_NOT_FOUND', () => {
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

const tooLong = (): PlatformError =>
  new PlatformError('SEND_MSG_API_ERROR', `a bundle is made of ${MAX_BUNDLE} bytes at most`)

/** Bytes of JSON that something takes at least. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, one) => sum + sizeOf(one), 1)
}

/** A bundle as the world keeps it. */
const toKept = (nodes: readonly OneBotForwardNode[]) =>
  nodes.map(({ userId, nickname, time, segments }) => ({
    user_num: userId,
    nickname,
    sent_at: time,
    segments: JSON.stringify(segments.map(toWritten)),
  }))

/** @param base what links to files begin with */
export function readForward(world: World, id: string, base: string): OneBotForwardNode[] {
  const nodes = world.forwards.nodes(id).map((node) => ({ ...node, parsed: parseSegments(node.segments) ?? [] }))
  const ids = flatten(nodes.flatMap(({ parsed }) => parsed)).flatMap(({ data }) => data['file_id'] ?? [])
  const files = world.files.read([...new Set(ids.map(String))])
  return nodes.map(({ user_num, nickname, sent_at, parsed }) => ({
    userId: user_num,
    nickname,
    time: sent_at,
    segments: withFiles(parsed, { files, base }),
  }))
}
