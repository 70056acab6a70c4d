import { INVALID_UTF8, PROTOCOL_ERROR, TOO_BIG } from '../../rfc6455.ts'

/** A fault of the peer: its status code in RFC 6455, and what to tell about it. */
export interface Fault {
  readonly status: number
  readonly text: string
}

const tooBig: Fault = { status: TOO_BIG, text: 'Message too large' }

/**
 * What uWebSockets.js says, beside 1006, when it drops a connection for a fault of the peer. Any other text is a
 * connection that was lost. The texts are not documented and have changed between releases: tests hold each of them.
 */
export const faults: ReadonlyMap<string, Fault> = new Map([
  ['Received too big message', tooBig],
  ['Received too big message, or other inflation error', tooBig],
  ['Received invalid UTF-8', { status: INVALID_UTF8, text: 'Text message has invalid UTF-8' }],
  ['Received invalid WebSocket frame', { status: PROTOCOL_ERROR, text: 'Protocol error' }],
  ['Received invalid close payload', { status: PROTOCOL_ERROR, text: 'Bad close payload' }],
])
