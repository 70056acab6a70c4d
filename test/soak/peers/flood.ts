import { binary } from '../../support/frames.ts'
import type { Figures, Flood } from '../messages.ts'
import { openPeer, type Peer } from './peer.ts'

const CLOSE = 8

/**
 * One client that writes whenever the kernel takes something, until `bytes` have got in or time is up; when the server ends
 * its connection it makes the next at once.
 */
export async function flood({ port, path, bytes, size, seconds }: Flood): Promise<Figures> {
  const frame = binary(Buffer.alloc(size, 'a'))
  const start = performance.now()
  const end = start + seconds * 1000
  const statuses: Record<string, number> = {}
  let [got, connections, closed] = [0, 0, 0]
  while (got < bytes && performance.now() < end) {
    const goodbye = new AbortController()
    const peer = await openPeer(port, path, (opcode, payload) => {
      if (opcode !== CLOSE) return
      const name = `Close ${payload.length < 2 ? 1005 : payload.readUInt16BE(0)}`
      statuses[name] = (statuses[name] ?? 0) + 1
      // What is sent behind it is thrown away: that would be offered to nobody.
      goodbye.abort()
    })
    void peer.closed.then(() => goodbye.abort())
    connections++
    const limit = AbortSignal.timeout(Math.max(0, Math.ceil(end - performance.now())))
    got += await pour(peer, frame, bytes - got, AbortSignal.any([goodbye.signal, limit]))
    if (goodbye.signal.aborted) closed++
    peer.socket.destroy()
    await peer.closed
  }
  return { ...statuses, got, connections, closed, took: (performance.now() - start) / 1000 }
}

/** Bytes that the kernel has taken: `most` at least, unless it is over before. */
async function pour({ socket }: Peer, frame: Buffer, most: number, over: AbortSignal): Promise<number> {
  const before = socket.bytesWritten
  const stopped = new Promise<void>((resolve) => over.addEventListener('abort', () => resolve()))
  const taken = (): number => socket.bytesWritten - socket.writableLength - before
  while (!over.aborted && taken() < most) {
    if (socket.write(frame)) continue
    const drained = new Promise<void>((resolve) => socket.once('drain', resolve))
    await Promise.race([drained, stopped])
  }
  return taken()
}
