import type { Exchange } from '../engine/port.ts'
import { hasToken, VERSION } from '../rfc6455.ts'
import { type Answer, answer } from './answer.ts'

/** RFC 6455 §4.2.1: 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/
const MAX_OFFERED = 10

/** Whether a request asks for a WebSocket, well-formed or not. */
export const wantsUpgrade = (exchange: Exchange): boolean => hasToken(exchange.headers['upgrade'], 'websocket')

/** What is wrong with an opening handshake (RFC 6455 §4.2.1, §4.4), as the answer to give; null for nothing. */
export function checkHandshake({ method, version, headers }: Exchange): Answer | null {
  if (method !== 'GET') return answer(405, 'A WebSocket is opened with GET', [['Allow', 'GET']])
  if (version !== '1.1') return answer(400, 'A WebSocket needs HTTP/1.1')
  if (headers['host'] === undefined) return answer(400, 'Missing Host')
  if (!hasToken(headers['connection'], 'upgrade')) return answer(400, 'Missing Connection: Upgrade')
  if (headers['sec-websocket-version'] !== String(VERSION)) {
    return answer(426, 'Unsupported WebSocket version', [['Sec-WebSocket-Version', String(VERSION)]])
  }
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) return answer(400, 'Bad Sec-WebSocket-Key')
  return null
}

/**
 * The sub-protocol to answer: the first offered that the server has. '' without an offer; null where none fits. A server
 * without a list takes the first.
 */
export function selectProtocol(exchange: Exchange, protocols: readonly string[] | null): string | null {
  const header = exchange.headers['sec-websocket-protocol'] ?? ''
  const offered = header.split(/[\s,]+/).filter((name) => name !== '')
  if (protocols === null) return offered[0] ?? ''
  if (offered.length === 0) return ''
  return offered.slice(0, MAX_OFFERED).find((name) => protocols.includes(name)) ?? null
}
