import type { OneBotSegment } from '../../../include-types/onebot.ts'
import { isRecord } from '../../web/config/check.ts'

/* Segments that have others in them: bundles, and the messages of those. */

export const isSegment = (value: unknown): value is OneBotSegment =>
  isRecord(value) && typeof value['type'] === 'string' && isRecord(value['data'])

/** What is in a segment; nothing in most. */
export function insideOf({ type, data }: OneBotSegment): readonly OneBotSegment[] {
  const content = type === 'forward' || type === 'node' ? data['content'] : undefined
  return Array.isArray(content) && content.every(isSegment) ? content : []
}

export const withInside = (segment: OneBotSegment, content: readonly OneBotSegment[]): OneBotSegment => ({
  ...segment,
  data: { ...segment.data, content },
})

/** All segments that have none in them, however deep. */
export const flatten = (segments: readonly OneBotSegment[]): OneBotSegment[] =>
  segments.flatMap((segment) => {
    const inside = insideOf(segment)
    return inside.length === 0 ? [segment] : flatten(inside)
  })

/** Those as `change` makes them, in their places. */
export const mapFlat = (
  segments: readonly OneBotSegment[],
  change: (segment: OneBotSegment) => OneBotSegment,
): OneBotSegment[] =>
  segments.map((segment) => {
    const inside = insideOf(segment)
    return inside.length === 0 ? change(segment) : withInside(segment, mapFlat(inside, change))
  })
