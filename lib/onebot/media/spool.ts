import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { toLastPart } from '../../chat/file-names.ts'
import type { Clock } from '../../engine/port.ts'
import { PlatformError } from '../failure.ts'

/** Bytes of all files that one bot has there. */
export const MAX_SPOOLED = 2_147_483_648
/** Files that it has there. */
export const MAX_SPOOL_FILES = 1000
/** Milliseconds that one is there at most. */
const MAX_STAY = 86_400_000
/** Bytes of a name, in UTF-8: file systems take 255. */
const MAX_NAME = 200

/** A file that is there for a while. */
export interface Spooled {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly sha256: string
}

/** A place that is taken: each file has a folder of its own, so that it is called what its client calls it. */
export interface Place {
  readonly path: string
  /** Throws where there is no room for so many bytes more. */
  grow(bytes: number): void
  /** It stays for so many milliseconds; 0: for a day. */
  stay(ms: number): void
  remove(): void
}

/** Files that a bot's clients have here for a while: what they upload in parts, and what is downloaded for them. */
export class Spool {
  readonly folder: string
  readonly #clock: Clock
  readonly #places = new Map<string, { bytes: number; cancel: () => void }>()
  #bytes = 0

  /** @param folder made where it is needed; what is in it belongs to nobody any more */
  constructor(folder: string, clock: Clock) {
    this.folder = folder
    this.#clock = clock
    this.clean()
  }

  /** Of all that is there. */
  get bytes(): number {
    return this.#bytes
  }

  /** LIMIT_REACHED where there are too many. */
  take(name: string): Place {
    if (this.#places.size >= MAX_SPOOL_FILES) {
      throw new PlatformError('LIMIT_REACHED', `there are ${MAX_SPOOL_FILES} files that wait for a message`)
    }
    const path = join(this.folder, randomBytes(12).toString('hex'), toFileName(name))
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const place = { bytes: 0, cancel: (): void => {} }
    this.#places.set(path, place)
    return {
      path,
      grow: (bytes) => {
        if (this.#bytes + bytes > MAX_SPOOLED) {
          throw new PlatformError('LIMIT_REACHED', `there are ${MAX_SPOOLED} bytes that wait for a message`)
        }
        place.bytes += bytes
        this.#bytes += bytes
      },
      stay: (ms) => {
        place.cancel()
        const time = ms > 0 ? Math.min(ms, MAX_STAY) : MAX_STAY
        place.cancel = this.#clock.after(time, () => this.#remove(path), false)
      },
      remove: () => this.#remove(path),
    }
  }

  /** Rejects as `bytes` does, and leaves nothing behind then. */
  async keep(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>, ms: number): Promise<Spooled> {
    const place = this.take(name)
    const hash = createHash('sha256')
    let size = 0
    try {
      const file = await open(place.path, 'wx', 0o600)
      try {
        for await (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) {
          place.grow(chunk.length)
          size += chunk.length
          hash.update(chunk)
          await file.appendFile(chunk)
        }
      } finally {
        await file.close()
      }
    } catch (error) {
      place.remove()
      throw error
    }
    place.stay(ms)
    return { path: place.path, size, sha256: hash.digest('hex') }
  }

  #remove(path: string): void {
    const place = this.#places.get(path)
    if (place === undefined) return
    place.cancel()
    this.#places.delete(path)
    this.#bytes -= place.bytes
    rmSync(dirname(path), { recursive: true, force: true })
  }

  /** All of it. */
  clean(): void {
    for (const path of this.#places.keys()) this.#remove(path)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** As long as a file system takes it. */
function toFileName(given: string): string {
  const name = toLastPart(given)
  if (/^\.*$/.test(name)) return 'file'
  const end = extname(name)
  const tail = Buffer.byteLength(end) <= 20 ? end : ''
  const letters = Array.from(name.slice(0, name.length - tail.length))
  while (Buffer.byteLength(letters.join('') + tail) > MAX_NAME) letters.length -= Math.ceil(letters.length / 20)
  return letters.join('') + tail
}
