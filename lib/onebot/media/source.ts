import { createReadStream, realpathSync, statSync } from 'node:fs'
import { basename, isAbsolute, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PlatformError } from '../failure.ts'
import { type FetchOptions, fetchMedia } from './fetch.ts'
import type { SpeechOptions } from './speech.ts'

/** Bytes of a file that a client names, and what it is called there; '' for nothing. */
export interface Source {
  readonly name: string
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>
}

export interface SourceOptions extends FetchOptions {
  /** Folders that clients may have files of. */
  readonly folders: readonly string[]
  /** What speaks texts; null: they are told as text. */
  readonly speech: SpeechOptions | null
}

type Open = (given: string, options: SourceOptions) => Source | Promise<Source>

/** By what a client's text begins with (OneBot 11; `data:` and paths are NapCat's). */
const KINDS: readonly (readonly [begins: RegExp, open: Open])[] = [
  [/^base64:\/\//i, (given, { maxBytes }) => ({ name: '', bytes: decodeBase64(given, maxBytes) })],
  [/^data:/i, openData],
  [/^https?:\/\//i, fetchMedia],
  [/^file:\/\//i, (given, options) => openPath(toPath(given), options)],
  [/^(?:\/|[a-z]:[\\/])/i, openPath],
]

/** What a client's text leads to; null: it is no such text, but may be the name of a file. Throws what clients are told. */
export function openSource(given: string, options: SourceOptions): Source | Promise<Source> | null {
  const [, open] = KINDS.find(([begins]) => begins.test(given)) ?? []
  return open?.(given, options) ?? null
}

const broken = (why: string): PlatformError => new PlatformError('LOAD_FILE_ERROR', why)

/** Both alphabets of RFC 4648. */
export function decode(text: string, maxBytes: number): Uint8Array {
  const digits = withoutPadding(text.replaceAll(/\s+/g, ''))
  const length = Math.floor((digits.length * 3) / 4)
  if (length > maxBytes) throw broken(`a file is longer than ${maxBytes} bytes`)
  const bytes = Buffer.from(digits, 'base64')
  // What is no digit was left out.
  if (bytes.length !== length || digits.length % 4 === 1 || length === 0) throw broken('is no base64')
  return bytes
}

/** With `base64://` in front, or without. */
export const decodeBase64 = (text: string, maxBytes: number): Uint8Array =>
  decode(text.replace(/^base64:\/\//i, ''), maxBytes)

function withoutPadding(text: string): string {
  let end = text.length
  while (text[end - 1] === '=') end--
  return text.slice(0, end)
}

/** RFC 2397, with base64 only. */
function openData(given: string, { maxBytes }: SourceOptions): Source {
  const comma = given.indexOf(',')
  if (comma === -1 || !/;\s*base64$/i.test(given.slice(0, comma))) throw broken('is no data: URL with base64')
  return { name: '', bytes: decode(given.slice(comma + 1), maxBytes) }
}

function toPath(url: string): string {
  try {
    return fileURLToPath(url)
  } catch {
    throw notThere()
  }
}

/** The same for what is not there, and what is not for clients: which of both is nobody's business. */
const notThere = (): PlatformError =>
  new PlatformError('OPEN_FILE_ERROR', 'is not there, or not in a folder of onebot.media.folders')

function openPath(path: string, { folders, maxBytes }: SourceOptions): Source {
  const real = isAbsolute(path) ? toReal(path) : null
  const inside = real !== null && folders.some((folder) => isBelow(real, toReal(folder)))
  const stats = inside ? statSync(real, { throwIfNoEntry: false }) : undefined
  if (real === null || stats?.isFile() !== true) throw notThere()
  if (stats.size > maxBytes) throw broken(`a file is longer than ${maxBytes} bytes`)
  return { name: basename(path), bytes: createReadStream(real) }
}

/** Where links lead to; null: nowhere. */
function toReal(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

const isBelow = (path: string, folder: string | null): boolean =>
  folder !== null && path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
