import type { OneBotSegment } from '../../../include-types/onebot.ts'
import type { AttachedFile } from '../../chat/files.ts'
import { isSegment, mapFlat } from '../message/inside.ts'

/* What is said in the world, as segments: what a bot has said is kept as it was, the rest is made of its text. */

/** What there is to know of a message for that. */
export interface Said {
  readonly content: string
  /** JSON, of what bots say. */
  readonly segments: string | null
  readonly files: readonly AttachedFile[]
  /** The number of the message that it answers; null: none, or none that can be named. */
  readonly replyTo: number | null
  readonly everyone: boolean
  /** What links to files begin with. */
  readonly base: string
  /** Whom it calls, by their names in lower case. */
  readonly called: ReadonlyMap<string, { readonly id: number; readonly name: string }>
}

export function toSegments(said: Said): readonly OneBotSegment[] {
  const own = said.segments === null ? null : parseSegments(said.segments)
  if (own !== null) return withFiles(own, said)
  return [
    ...(said.replyTo === null ? [] : [{ type: 'reply', data: { id: String(said.replyTo) } }]),
    ...splitNames(said),
    ...said.files.map((file) => toFile(file, said.base)),
  ]
}

/** Those that were written by us. */
export function parseSegments(json: string): readonly OneBotSegment[] | null {
  const value: unknown = JSON.parse(json)
  return Array.isArray(value) && value.every(isSegment) ? value : null
}

/** Text, and those who are called in it. */
function splitNames({ content, everyone, called }: Said): OneBotSegment[] {
  if (called.size === 0 && !everyone) return content === '' ? [] : [{ type: 'text', data: { text: content } }]
  const segments: OneBotSegment[] = []
  let text = ''
  const flush = (): void => {
    if (text !== '') segments.push({ type: 'text', data: { text } })
    text = ''
  }
  for (const word of content.split(/(\s+)/u)) {
    const name = /^@(.*?)[^\p{L}\p{N}_]*$/u.exec(word)?.[1] ?? ''
    const who = name === 'everyone' ? (everyone ? { id: null, name } : null) : (called.get(name.toLowerCase()) ?? null)
    if (name === '' || who === null) {
      text += word
      continue
    }
    flush()
    const data = who.id === null ? { qq: 'all' } : { qq: String(who.id), name: who.name }
    segments.push({ type: 'at', data })
    text = word.slice(1 + name.length)
  }
  flush()
  return segments
}

/** With where their files are read now. */
export function withFiles(
  segments: readonly OneBotSegment[],
  { files, base }: Pick<Said, 'files' | 'base'>,
): readonly OneBotSegment[] {
  if (files.length === 0) return segments
  return mapFlat(segments, (segment) => {
    const file = files.find(({ id }) => id === segment.data['file_id'])
    if (file === undefined) return segment
    return { ...segment, data: { ...segment.data, file_size: String(file.size), url: `${base}${file.url}` } }
  })
}

function toFile({ id, name, kind, size, url }: AttachedFile, base: string): OneBotSegment {
  const common = { file_size: String(size), url: `${base}${url}` }
  return { type: kind, data: kind === 'file' ? { file: name, file_id: id, ...common } : { file: id, ...common } }
}
