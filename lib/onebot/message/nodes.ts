import type { OneBotForwardNode, OneBotMessage, OneBotPlatform, OneBotSegment } from '../../../include-types/onebot.ts'
import { afterAll, type Awaitable, ifThere } from '../after.ts'
import { badRequest, isTold } from '../failure.ts'
import { numberOf, textOf, toSegments } from './input.ts'
import { prepare, type Unknown } from './outgoing.ts'

/** Bundles in bundles. */
const MAX_DEPTH = 3
/** Messages of a bundle, with those of the bundles in it. */
const MAX_NODES = 1000

interface Means {
  readonly platform: OneBotPlatform
  readonly unknown: Unknown
}

type Known = ReadonlyMap<number, OneBotMessage>

/** One as its client says it: a message that is there, one that is made up, or a bundle. */
type Given =
  | { readonly id: number | null }
  | { readonly node: OneBotSegment; readonly said: readonly OneBotSegment[] }
  | { readonly node: OneBotSegment; readonly inside: readonly Given[] }

/**
 * The messages of a bundle: such as are there, named by their ids, and such as are made up. What is none is left out. At once where
 * the platform knows them at once, so that what is sent behind stays behind.
 */
export function readNodes(means: Means, messages: unknown): Awaitable<OneBotForwardNode[]> {
  const given = readAll(toSegments(messages), 1, { nodes: 0 })
  const ids = [...new Set(given.flatMap(idsOf))]
  const found = ids.map((id) => ifThere(() => means.platform.message(id)))
  const fill = (all: readonly (OneBotMessage | null)[]): OneBotForwardNode[] => {
    const known = new Map(all.flatMap((message, i) => (message === null ? [] : [[ids[i] ?? 0, message] as const])))
    return build(means, given, known)
  }
  return afterAll(found, fill)
}

/** The nodes of what is a bundle as it stands: nothing but nodes, or one segment that has them; null: it is something else. */
export function bundleIn(said: readonly OneBotSegment[]): readonly OneBotSegment[] | null {
  const [first] = said
  const { id, content = null } = first?.type === 'forward' && said.length === 1 ? first.data : {}
  if (id === undefined && content !== null) return toSegments(content)
  return said.length > 0 && said.every(({ type }) => type === 'node') ? said : null
}

/** Throws for bundles that are too deep or too long, or hold something else. */
function readAll(segments: readonly OneBotSegment[], depth: number, sum: { nodes: number }): Given[] {
  if (depth > MAX_DEPTH) throw badRequest(`messages: ${MAX_DEPTH} bundles in each other at most`)
  sum.nodes += segments.length
  if (sum.nodes > MAX_NODES) throw badRequest(`messages: ${MAX_NODES} nodes at most`)
  return segments.map((node) => {
    if (node.type !== 'node') throw badRequest('messages: must be nodes')
    const content = node.data['content']
    if (content === undefined) return { id: numberOf(node, 'id') }
    const said = toSegments(content)
    const inside = bundleIn(said)
    return inside === null ? { node, said } : { node, inside: readAll(inside, depth + 1, sum) }
  })
}

const idsOf = (given: Given): number[] =>
  'id' in given ? (given.id === null ? [] : [given.id]) : 'inside' in given ? given.inside.flatMap(idsOf) : []

const build = (means: Means, all: readonly Given[], known: Known): OneBotForwardNode[] =>
  all.flatMap((given) => {
    if (!('id' in given)) return make(given, means, known) ?? []
    const message = known.get(given.id ?? 0)
    if (message === undefined) return []
    const { sender, time, segments } = message
    return { userId: sender.id, nickname: sender.nickname, time, segments }
  })

function make(given: Exclude<Given, { readonly id: unknown }>, means: Means, known: Known): OneBotForwardNode | null {
  const { node } = given
  const self = means.platform.self()
  const made = {
    userId: numberOf(node, 'user_id', 'uin') ?? self.id,
    nickname: textOf(node, 'nickname', 'name') || self.nickname,
    time: numberOf(node, 'time') ?? Math.floor(Date.now() / 1000),
  }
  if ('inside' in given) {
    const content = build(means, given.inside, known).map(({ userId, nickname, time, segments }) => ({
      type: 'node',
      data: { user_id: String(userId), nickname, time: String(time), content: segments },
    }))
    return content.length === 0 ? null : { ...made, segments: [{ type: 'forward', data: { content } }] }
  }
  try {
    const { segments } = prepare(given.said, means.unknown)
    return segments.length === 0 ? null : { ...made, segments }
  } catch (error) {
    if (isTold(error)) return null
    throw error
  }
}
