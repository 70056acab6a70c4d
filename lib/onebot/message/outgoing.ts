import { randomInt } from 'node:crypto'
import type { OneBotSegment } from '../../../include-types/onebot.ts'
import { badRequest, PlatformError } from '../failure.ts'
import { numberOf, textOf } from './input.ts'

/* What becomes of what a bot wants to say, segment by segment. */

/** What a bot does with a message: say it, or poke somebody. */
export interface Outgoing {
  readonly segments: readonly OneBotSegment[]
  /** Whom to poke: 0 is who reads it. */
  readonly pokes: readonly number[]
}

/** Of types that are not known here. */
export type Unknown = 'relay' | 'drop' | 'error'

/** Types that are said as they are. */
const SAID = new Set([
  'text',
  'face',
  'image',
  'record',
  'video',
  'file',
  'at',
  'reply',
  'share',
  'contact',
  'location',
  'music',
  'xml',
  'json',
  'mface',
  'markdown',
  'tts',
  'cardimage',
  'poke',
])
/** Those that have nobody to say them to here. Others are not known. */
const DROPPED = new Set(['anonymous', 'gift', 'miniapp', 'onlinefile', 'flashtransfer', 'keyboard', 'flash_file'])

/** Hands of `rps`, and sides of `dice`. */
const SIDES: Readonly<Record<string, number>> = { rps: 3, dice: 6 }

/** Throws where nothing of it can be said. */
export function prepare(given: readonly OneBotSegment[], unknown: Unknown): Outgoing {
  const segments: OneBotSegment[] = []
  const pokes: number[] = []
  let reply: OneBotSegment | null = null
  for (const segment of given) {
    const { type } = segment
    if (type === 'node') throw badRequest('message: 转发消息不能和普通消息混在一起发送 (nodes stand alone)')
    if (type === 'redbag') throw new PlatformError('SEND_MSG_API_ERROR', 'red packets are received only')
    if (type === 'shake') pokes.push(0)
    else if (type === 'poke' && numberOf(segment, 'qq') !== null) pokes.push(numberOf(segment, 'qq') ?? 0)
    // The first counts, and goes first: clients look for it there.
    else if (type === 'reply') reply ??= segment
    else if (type === 'rps' || type === 'dice') segments.push(draw(segment))
    else if (type === 'forward') segments.push(toNamed(segment))
    else if (SAID.has(type)) segments.push(segment)
    else if (!DROPPED.has(type)) {
      if (unknown === 'error') throw badRequest(`message: unknown segment type '${type}'`)
      if (unknown === 'relay') segments.push(segment)
    }
  }
  const said = segments.some((segment) => segment.type !== 'text' || textOf(segment, 'text') !== '')
  if (!said && pokes.length === 0) throw new PlatformError('EMPTY_MSG_ERROR', '消息体无法解析')
  return { segments: reply === null || !said ? segments : [reply, ...segments], pokes }
}

/** What is in a bundle that is there is not said again. */
function toNamed(segment: OneBotSegment): OneBotSegment {
  const id = textOf(segment, 'id')
  if (id === '')
    throw badRequest('message: a forward segment has the id of a bundle, or nodes as its content, and stands alone')
  return { type: 'forward', data: { id } }
}

/** What falls, nobody chooses. */
const draw = ({ type }: OneBotSegment): OneBotSegment => ({
  type,
  data: { result: String(randomInt(1, (SIDES[type] ?? 1) + 1)) },
})
