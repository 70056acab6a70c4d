/** Up to here memory is committed for bytes that have only been announced. */
const ADVANCE = 65536
/** Bytes of memory that stay for the next long message, of any connection. */
const MAX_SPARE = 4_194_304

let spare: Buffer | null = null

/** Of a message that was collected, and that nobody reads any more: long ones in a row cost no memory then. */
export function giveBack({ buffer, byteOffset }: Buffer): void {
  const { byteLength } = buffer
  // Short ones share theirs with others.
  if (byteOffset !== 0 || byteLength < ADVANCE || byteLength > MAX_SPARE) return
  if (spare === null || spare.length < byteLength) spare = Buffer.from(buffer)
}

function takeSpare(size: number): Buffer | null {
  if (spare === null || spare.length < size) return null
  const taken = spare
  spare = null
  return taken
}

/**
 * Collects the pieces of a message. Memory follows what has arrived (at most four times, or 64 KiB), never what a header
 * promises, and a thousand small fragments cost their bytes, not a thousand objects.
 */
export class Collector {
  length = 0
  #buffer: Buffer | null = null

  /** Appends a copy of `bytes`. `announced`: how many more bytes the current frame will bring. */
  append(bytes: Uint8Array, announced: number): void {
    if (bytes.length === 0) return
    const needed = this.length + bytes.length
    if (this.#buffer === null || this.#buffer.length < needed) this.#grow(needed, announced)
    this.#buffer?.set(bytes, this.length)
    this.length = needed
  }

  /** What was collected, owned by the caller; the collector is empty again. */
  take(): Buffer {
    const whole = this.#buffer?.subarray(0, this.length) ?? Buffer.alloc(0)
    this.#buffer = null
    this.length = 0
    return whole
  }

  #grow(needed: number, announced: number): void {
    const ahead = Math.min(needed + announced, Math.max(ADVANCE, needed * 4))
    const doubled = (this.#buffer?.length ?? 0) * 2
    const size = Math.max(ahead, doubled)
    const next = takeSpare(size) ?? Buffer.allocUnsafe(size)
    if (this.#buffer !== null) this.#buffer.copy(next, 0, 0, this.length)
    this.#buffer = next
  }
}
