/** What a published message begins with: its number, when it was due, and when it was published. */
export interface Stamp {
  readonly number: number
  readonly due: number
  readonly sent: number
}

/** Bytes of it. */
export const STAMP = 24

/**
 * Milliseconds that mean the same in each process of this machine: node documents them as counted from the Unix epoch. Of
 * `process.hrtime` it says that it may not be compared. Processes agree to a few microseconds, and the value itself has
 * steps of a quarter of one. Date has steps of a millisecond, which is as long as a delivery takes.
 */
export const now = (): number => performance.timeOrigin + performance.now()

export function writeStamp(bytes: Buffer, { number, due, sent }: Stamp): void {
  bytes.writeDoubleLE(number, 0)
  bytes.writeDoubleLE(due, 8)
  bytes.writeDoubleLE(sent, 16)
}

export const readStamp = (bytes: Buffer): Stamp => ({
  number: bytes.readDoubleLE(0),
  due: bytes.readDoubleLE(8),
  sent: bytes.readDoubleLE(16),
})
