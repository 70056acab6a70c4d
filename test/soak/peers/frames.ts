const NOTHING = Buffer.alloc(0)

/** Where the header of an HTTP message ends. */
const HEADER_END = '\r\n\r\n'

/** Told of a frame; `payload` is valid until it returns. */
export type OnFrame = (opcode: number, payload: Buffer) => void

/**
 * What a server sends: the answer to a handshake, then frames. Payloads are not copied: with a hundred readers in a process
 * its own collections would be in what it measures.
 */
export class ServerBytes {
  readonly #onFrame: OnFrame
  /** True when the handshake was accepted. */
  upgraded = false
  #rest = NOTHING

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame
  }

  /** Throws with the answer when it is no 101. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    let at = this.upgraded ? 0 : this.#skipHead(bytes)
    if (this.upgraded) at = this.#readFrames(bytes, at)
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : NOTHING
  }

  #skipHead(bytes: Buffer): number {
    const end = bytes.indexOf(HEADER_END)
    if (end === -1) return 0
    const head = bytes.toString('latin1', 0, end)
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`no upgrade: ${head}`)
    this.upgraded = true
    return end + HEADER_END.length
  }

  /** Where what is not complete begins. */
  #readFrames(bytes: Buffer, start: number): number {
    for (let at = start; ;) {
      if (bytes.length - at < 2) return at
      const short = bytes.readUInt8(at + 1)
      const head = at + (short === 127 ? 10 : short === 126 ? 4 : 2)
      if (bytes.length < head) return at
      const length =
        short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short
      if (bytes.length < head + length) return at
      this.#onFrame(bytes.readUInt8(at) & 0x0f, bytes.subarray(head, head + length))
      at = head + length
    }
  }
}
