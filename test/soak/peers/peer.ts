import { connect, type Socket } from 'node:net'
import { handshake } from '../../support/raw.ts'
import { type OnFrame, ServerBytes } from './frames.ts'

/** One for all: what is read is looked at when it comes. */
const buffer = Buffer.alloc(1 << 17)

const ignore = (): void => {}

/** A client over TCP. */
export interface Peer {
  readonly socket: Socket
  /** Resolves when TCP is over, whoever has ended it. */
  readonly closed: Promise<void>
}

/**
 * Resolves when the connection is upgraded, rejects when it is not.
 * @param onFrame null: from then on nothing is read at all. The kernel's receive buffer is as small as it starts (128 KB on
 *   Linux), for it grows with what is read; node has no way to make it smaller.
 */
export function openPeer(port: number, path: string, onFrame: OnFrame | null): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const bytes = new ServerBytes(onFrame ?? ignore)
    const callback = (length: number): boolean => {
      const { upgraded } = bytes
      try {
        bytes.push(buffer.subarray(0, length))
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
        socket.destroy()
      }
      if (!upgraded && bytes.upgraded) resolve({ socket, closed })
      return onFrame !== null || !bytes.upgraded
    }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } })
    const closed = new Promise<void>((settle) => socket.once('close', () => settle()))
    // What an error means is told by 'close', which follows it.
    socket.on('error', ignore)
    socket.once('close', () => reject(new Error('the server has closed a connection in its handshake')))
    socket.write(handshake(path))
  })
}

/** Connections that are made at a time. */
const PARALLEL = 100

export async function openPeers<T>(count: number, open: (i: number) => Promise<T>): Promise<T[]> {
  const peers: T[] = []
  while (peers.length < count) {
    const some = Array.from({ length: Math.min(PARALLEL, count - peers.length) }, (_, i) => open(peers.length + i))
    peers.push(...(await Promise.all(some)))
  }
  return peers
}
