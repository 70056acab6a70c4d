import type { OneBotSegment } from '../../../include-types/onebot.ts'

/*
 * CQ codes: messages as text (OneBot 11, "string format"). `[CQ:type,key=value,…]` without spaces; what is not quite one is
 * text, as in NapCat.
 */

// No '[' in a value either: what is not closed is looked at once, however often it begins.
const CODE = /\[CQ:([\w.-]{1,64})((?:,[\w.-]{1,64}=[^,[\]]*)*)\]/g
/** What types and keys are made of. */
export const NAME = /^[\w.-]{1,64}$/

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '[': '&#91;', ']': '&#93;', ',': '&#44;' }
const escape = (text: string, what: RegExp): string => text.replaceAll(what, (sign) => ESCAPES[sign] ?? sign)

const escapeText = (text: string): string => escape(text, /[&[\]]/g)
const escapeValue = (value: string): string => escape(value, /[&[\],]/g)

/** `&amp;` comes last: what it hides is no escape. */
const unescape = (text: string): string =>
  text.includes('&')
    ? text.replaceAll('&#91;', '[').replaceAll('&#93;', ']').replaceAll('&#44;', ',').replaceAll('&amp;', '&')
    : text

/** A text as segments. Values that are empty are as good as none. */
export function parseCq(text: string): OneBotSegment[] {
  const segments: OneBotSegment[] = []
  let at = 0
  const addText = (end: number): void => {
    if (end > at) segments.push({ type: 'text', data: { text: unescape(text.slice(at, end)) } })
  }
  for (const match of text.matchAll(CODE)) {
    addText(match.index)
    at = match.index + match[0].length
    const [, type = '', pairs = ''] = match
    const data = parsePairs(pairs)
    // Text is no code: what it says stands for itself.
    if (type === 'text') segments.push({ type, data: { text: data['text'] ?? '' } })
    else segments.push({ type, data })
  }
  addText(text.length)
  return segments
}

function parsePairs(pairs: string): Record<string, string> {
  const data = new Map<string, string>()
  for (const pair of pairs.split(',')) {
    const mark = pair.indexOf('=')
    if (mark > 0 && mark < pair.length - 1) data.set(pair.slice(0, mark), unescape(pair.slice(mark + 1)))
  }
  return Object.fromEntries(data)
}

function toValue(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : ''
}

/** Segments as text. */
export function printCq(segments: readonly OneBotSegment[]): string {
  let text = ''
  for (const { type, data } of segments) {
    if (type === 'text') text += escapeText(toValue(data['text']))
    else text += `[CQ:${type}${printPairs(data)}]`
  }
  return text
}

function printPairs(data: OneBotSegment['data']): string {
  let pairs = ''
  for (const [key, value] of Object.entries(data)) {
    const printed = toValue(value)
    // What a bundle has in it stays out of texts where it can be asked for.
    if (key === 'content' && typeof value === 'object' && 'id' in data) continue
    if (printed !== '' && NAME.test(key)) pairs += `,${key}=${escapeValue(printed)}`
  }
  return pairs
}
