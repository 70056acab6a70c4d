import type { OneBotForwardNode, OneBotMessage, OneBotPlatform, OneBotSegment } from '../../../include-types/onebot.ts'
import { afterAll } from '../after.ts'
import { badRequest, isTold } from '../failure.ts'
import { numberOf, textOf, toSegments } from './input.ts'
import { prepare, type Unknown } from './outgoing.ts'

/** Bundles in bundles. */
const MAX_DEPTH = 3

interface Means {
  readonly platform: OneBotPlatform
  readonly unknown: Unknown
}

type Awaitable<T> = T | Promise<T>
type Known = ReadonlyMap<number, OneBotMessage>

/**
 * The messages of a bundle: such as are there, named by their ids, and such as are made up. What is none is left out. At once where
 * the platform knows them at once, so that what is sent behind stays behind.
 */
export function readNodes(means: Means, messages: unknown): Awaitable<OneBotForwardNode[]> {
  const given = toSegments(messages)
  const ids = [...new Set(idsOf(given, 1))]
  const found = ids.map((id) => find(id, means))
  const make = (all: readonly (OneBotMessage | null)[]): OneBotForwardNode[] => {
    const known = new Map(all.flatMap((message, i) => (message === null ? [] : [[ids[i] ?? 0, message] as const])))
    return build(means, given, known)
  }
  return afterAll(found, make)
}

const contentOf = ({ data }: OneBotSegment): unknown => data['content']
const areNodes = (segments: readonly OneBotSegment[]): boolean =>
  segments.length > 0 && segments.every(({ type }) => type === 'node')

/** The messages that are named in it. Throws for bundles that are too deep, or hold something else. */
function idsOf(segments: readonly OneBotSegment[], depth: number): number[] {
  if (depth > MAX_DEPTH) throw badRequest(`messages: ${MAX_DEPTH} bundles in each other at most`)
  return segments.flatMap((segment) => {
    if (segment.type !== 'node') throw badRequest('messages: must be nodes')
    if (contentOf(segment) === undefined) return numberOf(segment, 'id') ?? []
    const inner = toSegments(contentOf(segment))
    return areNodes(inner) ? idsOf(inner, depth + 1) : []
  })
}

/** One that is not there is left out. */
function missing(error: unknown): null {
  if (isTold(error)) return null
  throw error
}

function find(id: number, { platform }: Means): Awaitable<OneBotMessage | null> {
  try {
    const message = platform.message(id)
    return message instanceof Promise ? message.catch(missing) : message
  } catch (error) {
    return missing(error)
  }
}

const build = (means: Means, segments: readonly OneBotSegment[], known: Known): OneBotForwardNode[] =>
  segments.flatMap((segment) => {
    if (contentOf(segment) !== undefined) return read(segment, means, known) ?? []
    const message = known.get(numberOf(segment, 'id') ?? 0)
    if (message === undefined) return []
    const { sender, time, segments: said } = message
    return { userId: sender.id, nickname: sender.nickname, time, segments: said }
  })

function read(segment: OneBotSegment, means: Means, known: Known): OneBotForwardNode | null {
  const inner = toSegments(contentOf(segment))
  const self = means.platform.self()
  const node = {
    userId: numberOf(segment, 'user_id', 'uin') ?? self.id,
    nickname: textOf(segment, 'nickname', 'name') || self.nickname,
    time: numberOf(segment, 'time') ?? Math.floor(Date.now() / 1000),
  }
  if (areNodes(inner)) {
    const content = build(means, inner, known).map(({ userId, nickname, time, segments }) => ({
      type: 'node',
      data: { user_id: String(userId), nickname, time: String(time), content: segments },
    }))
    return content.length === 0 ? null : { ...node, segments: [{ type: 'forward', data: { content } }] }
  }
  try {
    const { segments } = prepare(inner, means.unknown)
    return segments.length === 0 ? null : { ...node, segments }
  } catch (error) {
    if (isTold(error)) return null
    throw error
  }
}
