import { createReadStream } from 'node:fs'
import type { OneBotFile, OneBotNewFile, OneBotPlatform, OneBotSegment } from '../../../include-types/onebot.ts'
import { type Awaitable, ifThere } from '../after.ts'
import { isTold, PlatformError } from '../failure.ts'
import { textOf } from '../message/input.ts'
import { insideOf, withInside } from '../message/inside.ts'
import { rError } from '../../websock/log.ts'
import { speak } from './speech.ts'
import { openSource, type Source, type SourceOptions } from './source.ts'

/* What becomes of the files that a message names: they are kept, and the message has them by their ids. */

/** Segments that have a file, and what that has to be. */
const KINDS: ReadonlyMap<string, OneBotFile['kind']> = new Map([
  ['image', 'image'],
  ['cardimage', 'image'],
  ['record', 'record'],
  ['video', 'video'],
  ['file', 'file'],
])

/** A text that is to be heard: go-cqhttp's. */
const SPEECH = 'tts'

/** How a file is got, which says nothing to those who read the message. */
const MEANS = new Set(['url', 'path', 'cache', 'proxy', 'timeout', 'c', 'thumb', 'cover'])

export interface IntakeMeans {
  readonly platform: OneBotPlatform
  readonly media: SourceOptions
}

/** Of one message, or one bundle. */
export const MAX_FILES = 100

const count = (segments: readonly OneBotSegment[]): number =>
  segments.reduce(
    (sum, segment) => sum + (KINDS.has(segment.type) || segment.type === SPEECH ? 1 : count(insideOf(segment))),
    0,
  )

/** Those that are got, also in bundles; LIMIT_REACHED where there are too many, before the first is. */
export function countFiles(segments: readonly OneBotSegment[]): number {
  const files = count(segments)
  if (files > MAX_FILES) throw new PlatformError('LIMIT_REACHED', `there are ${MAX_FILES} files at most`)
  return files
}

/**
 * The same segments, with their files kept: one after the other, so that they are in order for all who read them. Rejects where
 * one is not to be had: a message is sent whole.
 */
export async function takeIn(means: IntakeMeans, segments: readonly OneBotSegment[]): Promise<OneBotSegment[]> {
  const taken: OneBotSegment[] = []
  for (const segment of segments) {
    const kind = KINDS.get(segment.type)
    const inside = insideOf(segment)
    if (kind !== undefined) taken.push(await take(means, segment, kind))
    else if (segment.type === SPEECH) taken.push(await say(means, segment))
    else if (inside.length > 0) taken.push(withInside(segment, await takeIn(means, inside)))
    else taken.push(segment)
  }
  return taken
}

async function take(means: IntakeMeans, segment: OneBotSegment, kind: OneBotFile['kind']): Promise<OneBotSegment> {
  const { platform } = means
  if (platform.store === undefined) return segment
  const source = await find(means, segment)
  const name = textOf(segment, 'name') || source.name
  const { id, name: kept } = await platform.store({ name, kind, bytes: source.bytes })
  const rest = Object.entries(segment.data).filter(([key]) => !MEANS.has(key))
  const named = {
    file: kind === 'file' ? kept : id,
    ...(kind === 'file' || 'name' in segment.data ? { name: kept } : {}),
  }
  return { type: kind, data: { ...Object.fromEntries(rest), ...named, file_id: id } }
}

/** A record of what it says; else the text. */
async function say({ platform, media }: IntakeMeans, segment: OneBotSegment): Promise<OneBotSegment> {
  const { speech } = media
  if (speech === null || platform.store === undefined) return segment
  const text = textOf(segment, 'text')
  const bytes = await speak(text, speech)
  const file = bytes === null ? null : await keepSpeech(platform, bytes)
  return file === null ? { type: 'text', data: { text } } : { type: 'record', data: { file, file_id: file } }
}

/** Null: these are no bytes of a record. */
async function keepSpeech(platform: OneBotPlatform, bytes: Buffer): Promise<string | null> {
  try {
    return (await platform.store?.({ name: 'speech', kind: 'record', bytes }))?.id ?? null
  } catch (error) {
    if (!isTold(error)) throw error
    rError('onebot', 'onebot.tts: %s', error.message)
    return null
  }
}

/** A file that there is already, else what the first of NapCat's fields for it says. */
function find({ platform, media }: IntakeMeans, segment: OneBotSegment): Promise<Source> {
  const seconds = Number(textOf(segment, 'timeout'))
  const options = {
    ...media,
    ...(seconds > 0 ? { timeout: Math.min(media.timeout, Math.ceil(seconds * 1000)) } : {}),
    ...(textOf(segment, 'proxy') === '0' ? { proxy: null } : {}),
  }
  const said = (...keys: readonly string[]): string[] => keys.map((key) => textOf(segment, key))
  return findSource({ platform, media: options }, said('file_id', 'file'), said('url', 'file', 'path'))
}

/** What a client names in one word, as a new file: a source, or a file that there is. */
export async function findFile(
  means: IntakeMeans,
  given: string,
  kind: OneBotFile['kind'],
  name = '',
): Promise<OneBotNewFile> {
  const source = await findSource(means, [given], [given])
  return { name: name || source.name, kind, bytes: source.bytes }
}

/** The first that is known; else the first that leads somewhere. FILE_NOT_FOUND where there is neither. */
async function findSource(
  { platform, media }: IntakeMeans,
  names: readonly string[],
  places: readonly string[],
): Promise<Source> {
  for (const name of names) {
    const known = await findKnown(platform, name)
    if (known !== null) return { name: known.name, bytes: createReadStream(known.path) }
  }
  for (const place of places) {
    const source = openSource(place, media)
    if (source !== null) return source
  }
  throw new PlatformError('FILE_NOT_FOUND')
}

/** What is longer is no name: it may be all of a film. */
const findKnown = (platform: OneBotPlatform, name: string): Awaitable<OneBotFile | null> =>
  name === '' || name.length > 200 ? null : ifThere(() => platform.file(name))
