import { Buffer, kMaxLength } from 'node:buffer'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { INVALID_UTF8, TOO_BIG } from '../../rfc6455.ts'
import { MAX_BITS } from '../extensions.ts'

/*
 * Messages of permessage-deflate (RFC 7692 §7.2) as pure functions on node:zlib. What earlier messages have left for the
 * next one to refer to is a dictionary of 32 KB at most: zlib itself would keep 300 KB for each connection.
 */

/** The fastest levels find little in a window, the default one takes twice the time of this for 5 % of the size. */
const LEVEL = 3
/** What a flush leaves at the end of a message (§7.2.1); not sent. */
const FLUSHED = Buffer.of(0, 0, 0xff, 0xff)
/** A final block without data: behind it zlib takes input that is cut off for an error, not for input to be continued. */
const FINAL = Buffer.of(3, 0)
/** Blocks in one message that may say that they are the last: each costs a new start of zlib, and two bytes to send. */
const MAX_FINALS = 100

export const NO_WINDOW: Uint8Array = Buffer.alloc(0)

/** Why a message cannot be inflated: a status of RFC 6455 §7.4.1 (1007 is for all data that is not what it says). */
export interface Fault {
  readonly status: number
  readonly text: string
}
export const TOO_LARGE: Fault = { status: TOO_BIG, text: 'Message too large' }
export const MALFORMED: Fault = { status: INVALID_UTF8, text: 'Compressed message is malformed' }

/**
 * The payload of a message, inflated (§7.2.2). No more of it than `limit` bytes, and a chunk, is ever in memory.
 *
 * @param limit 0: none
 * @param window what the message may refer to: the end of all that was inflated before it
 */
export function inflate(payload: Uint8Array, limit: number, window: Uint8Array): Buffer | Fault {
  // An empty message behind others, as a sender has it whose flush found nothing to do.
  if (payload.length === 0) return Buffer.alloc(0)
  const most = limit === 0 ? kMaxLength : Math.min(limit, kMaxLength)
  const parts: Buffer[] = []
  let input: Uint8Array = Buffer.concat([payload, FLUSHED, FINAL])
  let reach = window
  let length = 0
  for (let finals = 0; finals < MAX_FINALS; finals++) {
    const part = inflateBlocks(input, most - length, reach)
    if ('status' in part) return part
    const { buffer, engine } = part
    length += buffer.length
    if (length > most) return TOO_LARGE
    parts.push(buffer)
    // zlib stops behind a block that says it is the last (§7.2.3.4). Only FINAL really is.
    if (engine.bytesWritten === input.length) return parts.length === 1 ? buffer : Buffer.concat(parts, length)
    input = input.subarray(engine.bytesWritten)
    reach = slide(reach, buffer, MAX_BITS)
  }
  return MALFORMED
}

/**
 * A message, deflated (§7.2.1).
 *
 * @param bits of the window that the receiver keeps
 * @param window what the message may refer to: the end of all that was deflated before it
 */
export function deflate(data: Uint8Array, window: Uint8Array, bits: number): Buffer {
  const flushed = deflateRawSync(data, {
    finishFlush: constants.Z_SYNC_FLUSH,
    windowBits: bits,
    level: LEVEL,
    dictionary: window,
  })
  return flushed.subarray(0, -FLUSHED.length)
}

/** The window behind `data`, in memory of its own. */
export function slide(window: Uint8Array, data: Uint8Array, bits: number): Uint8Array {
  const size = 1 << bits
  const kept = Math.max(0, size - data.length)
  return Buffer.concat([kept === 0 ? NO_WINDOW : window.subarray(-kept), data.subarray(-size)])
}

/** What node:zlib returns for `info: true`; its types do not know. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

/** Inflates up to a block that says that it is the last. */
function inflateBlocks(input: Uint8Array, limit: number, window: Uint8Array): Inflated | Fault {
  try {
    // Without room a byte too much has to come out to be noticed.
    const result: unknown = inflateRawSync(input, {
      maxOutputLength: Math.max(1, limit),
      dictionary: window,
      info: true,
    })
    return isInflated(result) ? result : MALFORMED
  } catch (error) {
    return error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
      ? TOO_LARGE
      : MALFORMED
  }
}

const isInflated = (value: unknown): value is Inflated =>
  typeof value === 'object' && value !== null && 'buffer' in value && 'engine' in value
