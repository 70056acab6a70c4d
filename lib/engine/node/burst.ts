import { frameSize, writeFrame } from './encoder.ts'

/** Room for the frames of one burst; one that needs more leaves in several writes. */
const ROOM = 65536
/** Bursts nest when a callback publishes to a corked connection; more spare ones than this are of no use. */
const SPARE = 4

const spare: Burst[] = []

/** Frames that leave in one write. Their memory is used again as soon as the kernel has taken them. */
export class Burst {
  used = 0
  readonly #buffer = Buffer.allocUnsafeSlow(ROOM)

  static take(): Burst {
    return spare.pop() ?? new Burst()
  }

  /** Gives the memory back: nobody reads `bytes` any more. */
  recycle(): void {
    this.used = 0
    if (spare.length < SPARE) spare.push(this)
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.used)
  }

  /** Adds a frame; false when it does not fit. */
  add(data: string | Uint8Array, length: number, first: number, masked: boolean): boolean {
    if (this.used + frameSize(length, masked) > ROOM) return false
    this.used = writeFrame(this.#buffer, this.used, data, length, first, masked)
    return true
  }

  /** Adds a frame that was made for several receivers; false when it does not fit. */
  addFrame(frame: Uint8Array): boolean {
    if (this.used + frame.length > ROOM) return false
    this.#buffer.set(frame, this.used)
    this.used += frame.length
    return true
  }
}
