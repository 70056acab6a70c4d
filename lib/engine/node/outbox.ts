// The global of that name is a getter: on the path of a message it would be called each time.
import { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import type { Batch } from './batch.ts'
import { Burst } from './burst.ts'
import { toFrame } from './encoder.ts'

/** Bytes published in one turn of the event loop that leave in one write. */
const MAX_BATCH = 65_536
const NOTHING = Buffer.alloc(0)

/** Gives a new batch, and sees to it that `sendBatch` is called for it. */
export interface Batches {
  batchFor(outbox: Outbox): Batch
}

/**
 * Frames on their way out, in as few writes as can be: those sent while a chunk is read, or corked, leave together, and
 * so do those published in one turn of the event loop. A frame never overtakes another.
 */
export class Outbox {
  readonly #stream: Duplex
  readonly #masked: boolean
  /** Whether what a write has taken synchronously may be overwritten at once. */
  readonly #reuse: boolean
  /** Frames of the burst that goes on. */
  #burst: Burst | null = null
  /** What was published while there was no burst: there are never both. */
  #batch: Batch | null = null

  constructor(stream: Duplex, masked: boolean, reuse: boolean) {
    this.#stream = stream
    this.#masked = masked
    this.#reuse = reuse
  }

  /** Bytes that the kernel has not taken yet. */
  get used(): number {
    return this.#stream.writableLength + (this.#burst?.used ?? this.#batch?.length ?? 0)
  }

  /** Falls with every byte that the kernel takes: node counts a write as waiting until its last one is taken. */
  get pressure(): number {
    return this.used + writeQueueSize(this.#stream)
  }

  /** A frame; true when nothing waits but the burst. */
  add(data: string | Uint8Array, length: number, first: number): boolean {
    const masked = this.#masked
    if (this.#burst === null) {
      if (this.#batch !== null) this.sendBatch()
      return this.#write(toFrame(data, length, first, masked))
    }
    if (!this.#burst.add(data, length, first, masked)) {
      this.flush()
      if (!this.#burst.add(data, length, first, masked)) {
        return this.#write(toFrame(data, length, first, masked))
      }
    }
    return this.#stream.writableLength === 0
  }

  /** A frame that was made for several connections. */
  publish(frame: Buffer, batches: Batches): void {
    if (this.#burst === null) {
      this.#batch = (this.#batch ?? batches.batchFor(this)).with(frame)
      if (this.#batch.length > MAX_BATCH) this.sendBatch()
    } else if (!this.#burst.addFrame(frame)) {
      this.flush()
      this.#write(frame)
    }
  }

  /** Writes what was published. */
  sendBatch(): void {
    const batch = this.#batch
    this.#batch = null
    if (batch !== null) this.#write(batch.bytes)
  }

  /** What is added while `fn` runs leaves together. */
  cork(fn: () => void): void {
    const outermost = this.start()
    fn()
    if (outermost) this.finish()
  }

  /** Begins a burst, false when one goes on. For those who call often: `cork` needs a closure. */
  start(): boolean {
    if (this.#burst !== null) return false
    this.#burst = Burst.take()
    if (this.#batch === null) return true
    if (this.#burst.addFrame(this.#batch.bytes)) this.#batch = null
    else this.sendBatch()
    return true
  }

  /** Ends the burst. */
  finish(): void {
    this.flush()
    this.#burst?.recycle()
    this.#burst = null
  }

  /** Writes what there is. A burst goes on, with other memory where this one is still being read. */
  flush(): void {
    const burst = this.#burst
    if (burst === null) return this.sendBatch()
    if (burst.used === 0) return
    if (this.#write(burst.bytes) && this.#reuse) burst.used = 0
    else this.#burst = Burst.take()
  }

  /** Calls `fn` when all that was added is written. */
  whenWritten(fn: () => void): void {
    this.flush()
    this.#stream.write(NOTHING, (error) => {
      if (!error) fn()
    })
  }

  /** True when the kernel has taken everything. */
  #write(bytes: Uint8Array): boolean {
    if (!this.#stream.writable) return false
    this.#stream.write(bytes)
    return this.#stream.writableLength === 0
  }
}

/** Bytes of the write that goes on which the kernel has not taken; node tells them to its own timers only. */
export function writeQueueSize(stream: object): number {
  const handle: unknown = Reflect.get(stream, '_handle')
  return typeof handle === 'object' && handle !== null && 'writeQueueSize' in handle ? Number(handle.writeQueueSize) : 0
}
