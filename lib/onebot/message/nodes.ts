import type { OneBotForwardNode, OneBotPlatform, OneBotSegment } from '../../../include-types/onebot.ts'
import { badRequest, isTold } from '../failure.ts'
import { numberOf, textOf, toSegments } from './input.ts'
import { prepare, type Unknown } from './outgoing.ts'

/** Bundles in bundles. */
const MAX_DEPTH = 3

interface Means {
  readonly platform: OneBotPlatform
  readonly unknown: Unknown
}

/** The messages of a bundle: such as are there, named by their ids, and such as are made up. What is none is left out. */
export async function readNodes(means: Means, messages: unknown, depth = 1): Promise<OneBotForwardNode[]> {
  if (depth > MAX_DEPTH) throw badRequest(`messages: ${MAX_DEPTH} bundles in each other at most`)
  const nodes: OneBotForwardNode[] = []
  for (const segment of toSegments(messages)) {
    if (segment.type !== 'node') throw badRequest('messages: must be nodes')
    const node = segment.data['content'] === undefined ? await find(segment, means) : await read(segment, means, depth)
    if (node !== null) nodes.push(node)
  }
  return nodes
}

async function find(segment: OneBotSegment, { platform }: Means): Promise<OneBotForwardNode | null> {
  const id = numberOf(segment, 'id')
  if (id === null) return null
  try {
    const { sender, time, segments } = await platform.message(id)
    return { userId: sender.id, nickname: sender.nickname, time, segments }
  } catch (error) {
    if (isTold(error)) return null
    throw error
  }
}

async function read(segment: OneBotSegment, means: Means, depth: number): Promise<OneBotForwardNode | null> {
  const inner = toSegments(segment.data['content'])
  const self = means.platform.self()
  const node = {
    userId: numberOf(segment, 'user_id', 'uin') ?? self.id,
    nickname: textOf(segment, 'nickname', 'name') || self.nickname,
    time: numberOf(segment, 'time') ?? Math.floor(Date.now() / 1000),
  }
  if (inner.length > 0 && inner.every(({ type }) => type === 'node')) {
    const nodes = await readNodes(means, inner, depth + 1)
    const lines = nodes.map(({ userId, nickname, time, segments }) => ({
      type: 'node',
      data: { user_id: String(userId), nickname, time: String(time), content: segments },
    }))
    return lines.length === 0 ? null : { ...node, segments: [{ type: 'forward', data: { content: lines } }] }
  }
  try {
    const { segments } = prepare(inner, means.unknown)
    return segments.length === 0 ? null : { ...node, segments }
  } catch (error) {
    if (isTold(error)) return null
    throw error
  }
}
