import type { OneBotForwardNode, OneBotMessage, OneBotPlatform, OneBotSegment } from '../../../include-types/onebot.ts'
import { after, afterAll, type Awaitable } from '../after.ts'
import { printCq } from './cq.ts'
import type { Format } from './format.ts'
import { numberOf, textOf } from './input.ts'
import { insideOf } from './inside.ts'

/* What is in a bundle, for those who read it. */

/** One message of a bundle, as NapCat and go-cqhttp have it: also those of a bundle in it. */
export function toBundled({ userId, nickname, time, segments }: OneBotForwardNode, format: Format) {
  const raw = printCq(segments)
  const content: unknown = format === 'string' ? raw : segments.map(toInner)
  return {
    content,
    message: content,
    message_format: format,
    raw_message: raw,
    message_type: 'private',
    sub_type: 'friend',
    message_id: 0,
    message_seq: 0,
    real_id: 0,
    font: 0,
    time,
    user_id: userId,
    sender: { user_id: userId, nickname, card: '' },
  }
}

/** A segment; what is in one that is a bundle are messages, too. */
function toInner(segment: OneBotSegment): OneBotSegment {
  const nodes = segment.type === 'forward' ? insideOf(segment) : []
  return nodes.length === 0 ? segment : { type: 'forward', data: { content: nodes.map(toInnerMessage) } }
}

function toInnerMessage(node: OneBotSegment): object {
  const userId = numberOf(node, 'user_id') ?? 0
  const [nickname, time] = [textOf(node, 'nickname'), numberOf(node, 'time') ?? 0]
  return toBundled({ userId, nickname, time, segments: insideOf(node) }, 'array')
}

/** The id of the bundle that a segment names; '': it is none. */
const bundleOf = (segment: OneBotSegment): string => (segment.type === 'forward' ? textOf(segment, 'id') : '')

export const hasBundle = ({ segments }: OneBotMessage): boolean => segments.some((segment) => bundleOf(segment) !== '')

/** The same message; its bundles come with what is in them. */
export const expandBundles = (platform: OneBotPlatform, message: OneBotMessage): Awaitable<OneBotMessage> =>
  afterAll(
    message.segments.map((segment) => expandSegment(platform, segment)),
    (segments) => ({ ...message, segments }),
  )

function expandSegment(platform: OneBotPlatform, segment: OneBotSegment): Awaitable<OneBotSegment> {
  const id = bundleOf(segment)
  if (id === '') return segment
  return after(platform.forward(id), (nodes) =>
    // One that is gone.
    nodes.length === 0
      ? segment
      : { ...segment, data: { ...segment.data, content: nodes.map((node) => toBundled(node, 'array')) } },
  )
}
