/** What RFC 6455 fixes and both the layer and its engines need. A leaf: imports nothing of ours. */

// Opcodes, §5.2
export const CONT = 0x0
export const TEXT = 0x1
export const BINARY = 0x2
export const CLOSE = 0x8
export const PING = 0x9
export const PONG = 0xa

// Bits of a frame's first byte, §5.2; the second marks a compressed message (RFC 7692 §6)
export const FIN = 0x80
export const RSV1 = 0x40

/** Payload of a control frame, §5.5 */
export const MAX_CONTROL = 125

// Status codes that the protocol itself gives rise to, §7.4.1
export const PROTOCOL_ERROR = 1002
export const NO_STATUS = 1005
export const INVALID_UTF8 = 1007
export const TOO_BIG = 1009

/** §4.1: Sec-WebSocket-Version */
export const VERSION = 13

/** §1.3: what is hashed with the client's key */
export const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Whether a header field that is a list of tokens has one, in any case: Connection, Upgrade (RFC 9110 §5.6.1). */
export const hasToken = (list: string | undefined, token: string): boolean =>
  list !== undefined && list.split(',').some((item) => item.trim().toLowerCase() === token)

/** The status codes that a Close frame may carry: §7.4 and the IANA registry, less those that are never on the wire. */
export const isCloseStatus = (status: number): boolean =>
  Number.isInteger(status) &&
  ((status >= 1000 && status <= 1014 && (status < 1004 || status > 1006)) || (status >= 3000 && status <= 4999))
