import { open } from 'node:fs/promises'
import type { Response } from '../response.ts'
import type { Range } from './range.ts'
import type { StoredFile } from './store.ts'

/** Bytes that are read and sent at a time. */
const CHUNK = 262_144

/** Text, or a part of the file. */
export type Piece = string | Range

/** Sends pieces as the peer takes them. Their lengths are a promise: a file that has shrunk meanwhile ends the connection. */
export async function sendPieces(response: Response, file: StoredFile, pieces: readonly Piece[]): Promise<void> {
  if (file.bytes !== null) return sendKept(response, file.bytes, pieces)
  const handle = await open(file.path)
  try {
    for (const piece of pieces) {
      if (typeof piece === 'string') {
        if (!response.write(piece)) await response.flushed()
        continue
      }
      for (let at = piece.start; at <= piece.end && !response.done;) {
        const wanted = Math.min(CHUNK, piece.end + 1 - at)
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, at)
        if (bytesRead === 0) return response.abort()
        at += bytesRead
        if (!response.write(buffer.subarray(0, bytesRead))) await response.flushed()
      }
    }
    response.end()
  } finally {
    await handle.close()
  }
}

function sendKept(response: Response, bytes: Buffer, pieces: readonly Piece[]): void {
  const parts = pieces.map((piece) =>
    typeof piece === 'string' ? Buffer.from(piece) : bytes.subarray(piece.start, piece.end + 1),
  )
  response.end(parts.length === 1 ? parts[0] : Buffer.concat(parts))
}
