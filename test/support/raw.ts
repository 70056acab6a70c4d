import { connect } from 'node:net'
import { RawSocket } from './raw-socket.ts'

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
/** RFC 6455 §1.3: the answer to that key. */
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

/** The lines of an opening handshake; a null takes one out. */
export function handshake(path = '/', changes: Record<string, string | null> = {}, first?: string): Buffer {
  const headers: Record<string, string | null> = {
    'Host': 'localhost',
    'Upgrade': 'websocket',
    'Connection': 'Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...changes,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]))
  return Buffer.from([first ?? `GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
}

/** A client's end of a connection. */
export class RawClient extends RawSocket {
  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
      const client = new RawClient(socket)
      socket.once('error', reject)
      socket.once('connect', () => resolve(client))
    })
  }

  /** A connection past its opening handshake. */
  static async open(port: number, path = '/', headers: Record<string, string | null> = {}): Promise<RawClient> {
    const client = await RawClient.connect(port)
    client.send(handshake(path, headers))
    const { status, head } = await client.response()
    if (status !== 101) throw new Error(`no upgrade: ${head}`)
    return client
  }

  /** Takes the header of an HTTP response. */
  async response(): Promise<{ status: number; head: string }> {
    const head = await this.head()
    return { status: Number(head.split(' ')[1]), head }
  }
}
