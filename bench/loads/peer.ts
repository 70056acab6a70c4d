/** The other side of a server: raw TCP, frames that are built before, answers that are only counted. */
import { connect, type Socket } from 'node:net'

// One buffer for all connections, as what is read is only counted: the client must be cheaper than the servers.
const buffer = Buffer.alloc(1 << 18)

/** Where the header of an HTTP message ends. */
const HEADER_END = '\r\n\r\n'

/**
 * Connects, writes, and reads the head of the answer. Resolves with what `take` makes of that; null: there is more to come.
 * From then on `onBytes` hears how much has arrived.
 */
function begin<T>(
  port: number,
  request: string | Buffer,
  take: (head: string, bytes: number) => T | null,
  onBytes: (bytes: number) => void,
): Promise<{ readonly socket: Socket; readonly taken: T }> {
  return new Promise((resolve, reject) => {
    let begun = false
    let head = ''
    let length = 0
    const callback = (bytes: number): boolean => {
      if (begun) {
        onBytes(bytes)
        return true
      }
      length += bytes
      if (!head.includes(HEADER_END)) head += buffer.toString('latin1', 0, bytes)
      if (!head.includes(HEADER_END)) return true
      try {
        const taken = take(head, length)
        begun = taken !== null
        if (taken !== null) resolve({ socket, taken })
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the server has closed a connection')))
    socket.write(request)
  })
}

/** Resolves when the connection is upgraded; from then on `onBytes` hears how much has arrived. */
export async function open(port: number, path: string, onBytes: (bytes: number) => void): Promise<Socket> {
  const request =
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
  return (await begin(port, request, isUpgraded, onBytes)).socket
}

function isUpgraded(head: string): true {
  if (head.startsWith('HTTP/1.1 101 ') && head.endsWith(HEADER_END)) return true
  throw new Error(`no upgrade: ${head}`)
}

/**
 * Resolves when a request of `size` bytes of body is answered, with the bytes of the whole answer; from then on `onBytes`
 * hears how much has arrived.
 */
export async function openPlain(
  port: number,
  request: Buffer,
  size: number,
  onBytes: (bytes: number) => void,
): Promise<{ readonly socket: Socket; readonly answer: number }> {
  const take = (text: string, bytes: number): number | null => {
    const head = text.slice(0, text.indexOf(HEADER_END) + HEADER_END.length)
    const length = /^content-length: *(\d+)\r$/im.exec(head)?.[1]
    if (!head.startsWith('HTTP/1.1 200 ') || Number(length) !== size) {
      throw new Error(`not the file of ${size} bytes: ${head}`)
    }
    const answer = head.length + size
    if (bytes > answer) throw new Error(`${bytes - answer} bytes too many`)
    return bytes < answer ? null : answer
  }
  const { socket, taken } = await begin(port, request, take, onBytes)
  return { socket, answer: taken }
}

/** Of a text frame, unmasked. */
function header(size: number): number[] {
  if (size < 126) return [0x81, size]
  if (size < 65_536) return [0x81, 126, size >> 8, size & 255]
  return [0x81, 127, 0, 0, 0, 0, (size >> 24) & 255, (size >> 16) & 255, (size >> 8) & 255, size & 255]
}

/** Bytes of a text message of a server. */
export const answerLength = (size: number): number => header(size).length + size

/** A text message of a client. */
export function masked(size: number): Buffer {
  const [type = 0, length = 0, ...rest] = header(size)
  const mask = [0x1f, 0x2e, 0x3d, 0x4c]
  const body = Buffer.alloc(size, 'a').map((byte, i) => byte ^ (mask[i & 3] ?? 0))
  return Buffer.concat([Buffer.from([type, length | 0x80, ...rest, ...mask]), body])
}
