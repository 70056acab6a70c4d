import type { OneBotSegment } from '../../../include-types/onebot.ts'
import { isRecord } from '../../web/config/check.ts'
import { badRequest } from '../failure.ts'
import { NAME, parseCq } from './cq.ts'

/** Segments of a message: more are refused. */
const MAX_SEGMENTS = 1000

const NO_DATA: OneBotSegment['data'] = {}

/**
 * What a client says, as segments: CQ text, a list of segments, or one. Text in a list is what it says, never CQ.
 *
 * @param plain a text is what it says, too
 */
export function toSegments(message: unknown, plain = false): readonly OneBotSegment[] {
  if (typeof message === 'number' || typeof message === 'boolean') return toSegments(String(message), plain)
  return typeof message === 'string' ? notMany(fromText(message, plain)) : fromList(message)
}

const notMany = <T>(segments: readonly T[]): readonly T[] => {
  if (segments.length > MAX_SEGMENTS) throw badRequest(`message: ${MAX_SEGMENTS} segments at most`)
  return segments
}

const fromText = (text: string, plain: boolean): readonly OneBotSegment[] =>
  plain ? (text === '' ? [] : [{ type: 'text', data: { text } }]) : parseCq(text)

const fromList = (message: unknown): readonly OneBotSegment[] => {
  if (Array.isArray(message)) return notMany<unknown>(message).map(toSegment)
  if (isRecord(message)) return [toSegment(message)]
  throw badRequest('message: must be text, a segment, or a list of segments')
}

function toSegment(given: unknown): OneBotSegment {
  if (!isRecord(given) || typeof given['type'] !== 'string' || !NAME.test(given['type'])) {
    throw badRequest('message: a segment has a type')
  }
  const { type, data = null } = given
  if (data === null) return { type, data: NO_DATA }
  if (!isRecord(data)) throw badRequest(`message: the data of '${type}' must be an object`)
  return { type, data }
}

/** A field of a segment as text; '' for none. */
export function textOf({ data }: OneBotSegment, ...names: readonly string[]): string {
  for (const name of names) {
    const value = Object.hasOwn(data, name) ? data[name] : undefined
    if (typeof value === 'string' && value !== '') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  }
  return ''
}

/** A field that is a number, or the text of one; null for others. */
export function numberOf(segment: OneBotSegment, ...names: readonly string[]): number | null {
  const text = textOf(segment, ...names)
  return /^-?\d{1,16}$/.test(text) ? Number(text) : null
}
