/** The other side of a server: raw TCP, frames that are built before, answers that are only counted. */
import { connect, type Socket } from 'node:net'

// One buffer for all connections, as what is read is only counted: the client must be cheaper than the servers.
const buffer = Buffer.alloc(1 << 18)

/** Resolves when the connection is upgraded; from then on `onBytes` hears how much has arrived. */
export function open(port: number, path: string, onBytes: (bytes: number) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let upgraded = false
    let head = ''
    const callback = (bytes: number): boolean => {
      if (upgraded) onBytes(bytes)
      else {
        head += buffer.toString('latin1', 0, bytes)
        upgraded = head.startsWith('HTTP/1.1 101 ') && head.endsWith('\r\n\r\n')
        if (upgraded) resolve(socket)
        else if (head.includes('\r\n\r\n')) reject(new Error(`no upgrade: ${head}`))
      }
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the server has closed a connection')))
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
  })
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
