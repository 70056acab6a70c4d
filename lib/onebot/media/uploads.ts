import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../engine/port.ts'
import { badRequest, PlatformError } from '../failure.ts'
import { Digits } from './digits.ts'
import { decodeBase64 } from './source.ts'
import type { Place, Spool, Spooled } from './spool.ts'

/** Uploads of one bot that are under way. */
export const MAX_UPLOADS = 100
/** Parts of one. */
export const MAX_PARTS = 100_000
/** Bytes of a part, as clients send them: for longer ones memory is taken anew each time. */
const PART = 1_048_576
/** Milliseconds without a part: it is given up. NapCat's. */
const MAX_IDLE = 600_000
/** Parts that are named where they are missing. */
const MOST_NAMED = 100

/** What a client says of a file when it begins. */
export interface UploadPlan {
  readonly name: string
  readonly parts: number
  /** Bytes; null: it does not say. */
  readonly size: number | null
  /** Null: it is not compared. */
  readonly sha256: string | null
  /** Milliseconds that the file is there once it is complete; 0: as long as any. */
  readonly stay: number
}

/** How far one is. */
export interface Progress {
  readonly received: number
  readonly parts: number
  /** The first that are missing. */
  readonly missing: readonly number[]
}

/** A file that comes in parts: those that come in order are written to it at once, others are put aside. */
class Upload {
  readonly plan: UploadPlan
  readonly #place: Place
  readonly #maxBytes: number
  readonly #hash: Hash = createHash('sha256')
  readonly #file: number
  /** The part that comes next, and those behind it that are there already. */
  #next = 0
  readonly #aside = new Map<number, number>()
  #size = 0
  #completing = false
  #closed = false
  cancel: () => void = () => {}

  constructor(plan: UploadPlan, place: Place, maxBytes: number) {
    this.plan = plan
    this.#place = place
    this.#maxBytes = maxBytes
    this.#file = openSync(place.path, 'wx', 0o600)
  }

  get progress(): Progress {
    const { parts } = this.plan
    const received = this.#next + this.#aside.size
    const most = Math.min(parts - received, MOST_NAMED)
    const missing: number[] = []
    for (let part = this.#next; missing.length < most; part++) {
      if (!this.#aside.has(part)) missing.push(part)
    }
    return { received, parts, missing }
  }

  /** One that is there already is not taken again. */
  take(part: number, bytes: Uint8Array): void {
    if (part < 0 || part >= this.plan.parts) throw badRequest(`chunk_index: there are ${this.plan.parts}`)
    if (part < this.#next || this.#aside.has(part)) return
    if (this.#completing) throw new PlatformError('TRY_AGAIN_LATER', 'the file is put together')
    const size = this.#size + bytes.length
    if (size > Math.min(this.#maxBytes, this.plan.size ?? Infinity)) {
      throw new PlatformError(
        'LOAD_FILE_ERROR',
        `a file is longer than ${Math.min(this.#maxBytes, this.plan.size ?? Infinity)} bytes`,
      )
    }
    this.#place.grow(bytes.length)
    this.#size = size
    if (part === this.#next) return this.#append(bytes)
    writeFileSync(this.#pathOf(part), bytes, { mode: 0o600 })
    this.#aside.set(part, bytes.length)
  }

  #pathOf(part: number): string {
    return `${this.#place.path}.${part}`
  }

  #append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) from += writeSync(this.#file, bytes, from)
    this.#hash.update(bytes)
    this.#next++
  }

  /** Throws where a part is missing. */
  check(): void {
    const { missing } = this.progress
    if (missing.length > 0) throw new PlatformError('LOAD_FILE_ERROR', `missing chunks: ${missing.join(', ')}`)
    if (this.#completing) throw new PlatformError('TRY_AGAIN_LATER', 'the file is put together')
  }

  /** Rejects where it is not what it should be. */
  async complete(): Promise<Spooled> {
    this.#completing = true
    for (; this.#next < this.plan.parts; await setImmediate()) {
      if (this.#closed) throw new PlatformError('FILE_NOT_FOUND', 'the stream was reset')
      const part = this.#next
      this.#append(readFileSync(this.#pathOf(part)))
      this.#aside.delete(part)
      rmSync(this.#pathOf(part))
    }
    const { size, sha256: wanted, stay } = this.plan
    if (size !== null && size !== this.#size) {
      throw new PlatformError('LOAD_FILE_ERROR', `file_size is ${size}, and ${this.#size} bytes have come`)
    }
    const sha256 = this.#hash.digest('hex')
    if (wanted !== null && wanted.toLowerCase() !== sha256) {
      throw new PlatformError('LOAD_FILE_ERROR', `SHA256 mismatch: expected ${wanted}, got ${sha256}`)
    }
    closeSync(this.#file)
    this.#closed = true
    this.#place.stay(stay)
    return { path: this.#place.path, size: this.#size, sha256 }
  }

  drop(): void {
    this.cancel()
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#file)
    this.#place.remove()
  }
}

/** @param into where it goes if there is room */
function decodePart(base64: string | Digits, maxBytes: number, into: Buffer): Uint8Array {
  const bytes = base64 instanceof Digits ? base64.decode(into) : null
  // With something in front, or between.
  return bytes ?? decodeBase64(String(base64), maxBytes)
}

/** Files that come in parts, by the names that clients have for them: also over one connection after another. */
export class Uploads {
  readonly #spool: Spool
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #running = new Map<string, Upload>()
  /** A part, before it is on the disk. */
  #part: Buffer | null = null

  /** @param maxBytes of one file */
  constructor(spool: Spool, clock: Clock, maxBytes: number) {
    this.#spool = spool
    this.#clock = clock
    this.#maxBytes = maxBytes
  }

  progressOf(id: string): Progress {
    return this.#find(id).progress
  }

  has(id: string): boolean {
    return this.#running.has(id)
  }

  #find(id: string): Upload {
    const upload = this.#running.get(id)
    if (upload === undefined) throw new PlatformError('FILE_NOT_FOUND', 'there is no such stream')
    return upload
  }

  begin(id: string, plan: UploadPlan): void {
    if (this.#running.size >= MAX_UPLOADS) {
      throw new PlatformError('LIMIT_REACHED', `${MAX_UPLOADS} uploads are under way`)
    }
    if (plan.parts < 1 || plan.parts > MAX_PARTS) throw badRequest(`total_chunks: must be from 1 to ${MAX_PARTS}`)
    if ((plan.size ?? 0) > this.#maxBytes) {
      throw new PlatformError('LOAD_FILE_ERROR', `a file is longer than ${this.#maxBytes} bytes`)
    }
    const upload = new Upload(plan, this.#spool.take(plan.name), this.#maxBytes)
    this.#running.set(id, upload)
    this.#watch(id, upload)
  }

  #watch(id: string, upload: Upload): void {
    upload.cancel()
    upload.cancel = this.#clock.after(MAX_IDLE, () => this.reset(id), false)
  }

  /** @param base64 with `base64://` in front, or without */
  take(id: string, part: number, base64: string | Digits): Progress {
    const upload = this.#find(id)
    this.#part ??= Buffer.allocUnsafeSlow(PART)
    upload.take(part, decodePart(base64, this.#maxBytes, this.#part))
    this.#watch(id, upload)
    return upload.progress
  }

  /** One whose bytes are not what they should be is gone. */
  async complete(id: string): Promise<Spooled & { readonly parts: number }> {
    const upload = this.#find(id)
    // Nothing is lost by asking too early.
    upload.check()
    upload.cancel()
    try {
      const file = await upload.complete()
      this.#running.delete(id)
      if (this.#running.size === 0) this.#part = null
      return { ...file, parts: upload.plan.parts }
    } catch (error) {
      this.reset(id)
      throw error
    }
  }

  reset(id: string): void {
    const upload = this.#running.get(id)
    this.#running.delete(id)
    upload?.drop()
    if (this.#running.size === 0) this.#part = null
  }

  clean(): void {
    for (const id of this.#running.keys()) this.reset(id)
  }
}
