/** The other side of a server: raw TCP, frames that are built before, answers that are only counted. */
import { connect, type Socket } from 'node:net'
import { tokenOf, type WorldSize } from '../servers/world.ts'

// One buffer for all connections, as what is read is only counted: the client must be cheaper than the servers.
const buffer = Buffer.alloc(1 << 18)

/** Where the header of an HTTP message ends. */
const HEADER_END = '\r\n\r\n'
/** Bytes behind it that are read, too: the header of a frame. */
const FRAME_HEADER = 10

/** Hears how much has arrived, and where: it is overwritten by the next. */
export type OnBytes = (bytes: number, buffer: Buffer) => void

/**
 * Connects, writes, and reads the head of the answer. Resolves with what `take` makes of that; null: there is more to come.
 * From then on `onBytes` hears how much has arrived.
 */
function begin<T>(
  port: number,
  request: string | Buffer,
  take: (head: string, bytes: number) => T | null,
  onBytes: OnBytes,
): Promise<{ readonly socket: Socket; readonly taken: T }> {
  return new Promise((resolve, reject) => {
    let begun = false
    let head = ''
    let length = 0
    const callback = (bytes: number): boolean => {
      if (begun) {
        onBytes(bytes, buffer)
        return true
      }
      length += bytes
      if (endOf(head) > head.length - FRAME_HEADER) head += buffer.toString('latin1', 0, bytes)
      if (endOf(head) === Infinity) return true
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

/** How far the header of an HTTP message reaches; Infinity: further than this. */
function endOf(head: string): number {
  const at = head.indexOf(HEADER_END)
  return at < 0 ? Infinity : at + HEADER_END.length
}

const toUpgrade = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13${HEADER_END}`

/** Resolves when the connection is upgraded; from then on `onBytes` hears how much has arrived. */
export async function open(port: number, path: string, onBytes: OnBytes): Promise<Socket> {
  return (await begin(port, toUpgrade(path), isUpgraded, onBytes)).socket
}

/** The same where a server speaks first: when its READY is there, which is the first frame. */
export async function openReady(port: number, path: string, onBytes: OnBytes): Promise<Socket> {
  return (await begin(port, toUpgrade(path), isReady, onBytes)).socket
}

/** The member of a gateway with that token. */
export const openMember = (port: number, token: string, onBytes: OnBytes): Promise<Socket> =>
  openReady(port, `/ws?bot_token=${token}`, onBytes)

function isReady(text: string, bytes: number): true | null {
  const head = text.slice(0, endOf(text))
  isUpgraded(head)
  const whole = head.length + frameLength(Buffer.from(text.slice(head.length, head.length + FRAME_HEADER), 'latin1'))
  if (bytes > whole) throw new Error('the server sends more than READY')
  return bytes === whole ? true : null
}

const ignore = (): void => {}

/** A connection of which nothing is counted; to a gateway of the `i`-th account of its world. */
export const openSilent = (port: number, i: number, world: WorldSize | undefined): Promise<Socket> =>
  world === undefined ? open(port, '/echo', ignore) : openMember(port, tokenOf(i % world.accounts), ignore)

/** Bytes of a server's text frame that begins there; Infinity: too little of it has come. */
export function frameLength(bytes: Buffer, at = 0): number {
  const there = bytes.length - at
  if (there > 0 && bytes[at] !== 0x81) throw new Error(`not a whole text: ${bytes.toString('hex', at, at + 2)}`)
  const short = bytes[at + 1]
  if (short === undefined) return Infinity
  if (short < 126) return 2 + short
  if (short === 126) return there < 4 ? Infinity : 4 + bytes.readUInt16BE(at + 2)
  return there < FRAME_HEADER ? Infinity : FRAME_HEADER + Number(bytes.readBigUInt64BE(at + 2))
}

function isUpgraded(head: string): true {
  if (head.startsWith('HTTP/1.1 101 ') && head.endsWith(HEADER_END)) return true
  throw new Error(`no upgrade: ${head}`)
}

/** An HTTP connection that stays, and what its answers are. */
export interface Plain {
  readonly socket: Socket
  /** Bytes of a whole answer. */
  readonly answer: number
  /** Of its body. */
  readonly body: number
}

/** Resolves when a request is answered with that status; from then on `onBytes` hears how much has arrived. */
export async function openPlain(
  port: number,
  request: string | Buffer,
  status: number,
  onBytes: (bytes: number) => void,
): Promise<Plain> {
  const take = (text: string, bytes: number): Omit<Plain, 'socket'> | null => {
    const head = text.slice(0, endOf(text))
    const length = /^content-length: *(\d+)\r$/im.exec(head)?.[1]
    if (!head.startsWith(`HTTP/1.1 ${status} `) || length === undefined) {
      throw new Error(`not ${status} with a length: ${text}`)
    }
    const body = Number(length)
    const answer = head.length + body
    if (bytes > answer) throw new Error(`${bytes - answer} bytes too many`)
    return bytes < answer ? null : { answer, body }
  }
  const { socket, taken } = await begin(port, request, take, onBytes)
  return { socket, ...taken }
}

/** Of a text frame, unmasked. */
function header(size: number): number[] {
  if (size < 126) return [0x81, size]
  if (size < 65_536) return [0x81, 126, size >> 8, size & 255]
  return [0x81, 127, 0, 0, 0, 0, (size >> 24) & 255, (size >> 16) & 255, (size >> 8) & 255, size & 255]
}

/** Bytes of a text message of a server. */
export const answerLength = (size: number): number => header(size).length + size

/** A text message of a client, of so many bytes. */
export const masked = (size: number): Buffer => toMasked(Buffer.alloc(size, 'a'))

/** One that says something. */
export const maskedText = (text: string): Buffer => toMasked(Buffer.from(text))

function toMasked(plain: Buffer): Buffer {
  const [type = 0, length = 0, ...rest] = header(plain.length)
  const mask = [0x1f, 0x2e, 0x3d, 0x4c]
  const body = plain.map((byte, i) => byte ^ (mask[i & 3] ?? 0))
  return Buffer.concat([Buffer.from([type, length | 0x80, ...rest, ...mask]), body])
}
