import { open } from 'node:fs/promises'
import type { Response } from '../response.ts'
import type { Range } from './range.ts'
import type { StoredFile } from './store.ts'

/** Bytes that are sent at a time, and of parts that are put together. */
const CHUNK = 262_144
const AT_ONCE = 65_536

/** Text, or a part of the file. */
export type Piece = string | Range

/** Sends pieces as the peer takes them; `length` is that of all. */
export function sendPieces(
  response: Response,
  { bytes, path }: StoredFile,
  pieces: readonly Piece[],
  length: number,
): Promise<void> | undefined {
  if (bytes === null) return sendFromDisk(response, path, pieces)
  const cut = ({ start, end }: Range): Buffer => bytes.subarray(start, end + 1)
  const [only] = pieces
  if (pieces.length === 1 && typeof only === 'object') response.end(cut(only))
  else if (length > AT_ONCE) return send(response, pieces, (start, end) => bytes.subarray(start, end))
  else response.end(Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : cut(piece)))))
  return undefined
}

async function sendFromDisk(response: Response, path: string, pieces: readonly Piece[]): Promise<void> {
  const handle = await open(path)
  try {
    await send(response, pieces, async (start, end) => {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(end - start), 0, end - start, start)
      return buffer.subarray(0, bytesRead)
    })
  } finally {
    await handle.close()
  }
}

/** The lengths of pieces are a promise: a file that has shrunk meanwhile ends the connection. */
async function send(
  response: Response,
  pieces: readonly Piece[],
  read: (start: number, end: number) => Buffer | Promise<Buffer>,
): Promise<void> {
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      if (!response.write(piece)) await response.flushed()
      continue
    }
    for (let at = piece.start; at <= piece.end && !response.done;) {
      const chunk = await read(at, Math.min(at + CHUNK, piece.end + 1))
      if (chunk.length === 0) return response.abort()
      at += chunk.length
      if (!response.write(chunk)) await response.flushed()
    }
  }
  response.end()
}
