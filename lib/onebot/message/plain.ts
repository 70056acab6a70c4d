import type { OneBotSegment } from '../../../include-types/onebot.ts'
import { textOf } from './input.ts'

/* A message for who reads nothing but text. */

const HANDS = ['', 'rock', 'scissors', 'paper']

const RENDERINGS: ReadonlyMap<string, (segment: OneBotSegment) => string> = new Map(
  Object.entries<(segment: OneBotSegment) => string>({
    text: (segment) => textOf(segment, 'text'),
    tts: (segment) => textOf(segment, 'text'),
    markdown: (segment) => textOf(segment, 'content'),
    face: (segment) => `[face ${textOf(segment, 'id')}]`,
    image: () => '[image]',
    cardimage: () => '[image]',
    mface: (segment) => textOf(segment, 'summary') || '[sticker]',
    record: () => '[voice]',
    video: () => '[video]',
    file: (segment) => `[file: ${textOf(segment, 'name', 'file')}]`,
    reply: () => '',
    rps: (segment) => `[${HANDS[Number(textOf(segment, 'result'))] ?? 'rps'}]`,
    dice: (segment) => `[dice ${textOf(segment, 'result')}]`,
    share: (segment) =>
      `[${[textOf(segment, 'title'), textOf(segment, 'url')].filter((part) => part !== '').join(' ')}]`,
    location: (segment) =>
      `[location ${textOf(segment, 'title') || `${textOf(segment, 'lat')}, ${textOf(segment, 'lon')}`}]`,
    music: (segment) => `[music ${textOf(segment, 'title') || textOf(segment, 'id')}]`,
    contact: (segment) => `[contact ${textOf(segment, 'id')}]`,
    forward: () => '[forwarded messages]',
    xml: () => '[card]',
    json: () => '[card]',
  }),
)

/** @param nameOf how somebody is called with an '@' in front; null for who is not known */
export function toPlain(segments: readonly OneBotSegment[], nameOf: (id: number) => string | null): string {
  let text = ''
  let last = ''
  /** Names are words of their own. */
  let afterName = false
  for (const segment of segments) {
    const isName = segment.type === 'at'
    const part = isName
      ? toName(segment, nameOf)
      : (RENDERINGS.get(segment.type) ?? (({ type }) => `[${type}]`))(segment)
    if (part === '') continue
    const apart = (isName && /\S/u.test(last)) || (afterName && /^\S/u.test(part))
    text += apart ? ` ${part}` : part
    last = part.at(-1) ?? ''
    afterName = isName
  }
  return text
}

function toName(segment: OneBotSegment, nameOf: (id: number) => string | null): string {
  const qq = textOf(segment, 'qq', 'target')
  if (qq === 'all') return '@everyone'
  return `@${nameOf(Number(qq)) ?? (textOf(segment, 'name').replace(/^@/, '') || qq)}`
}
