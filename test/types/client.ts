import type { ClientLoop, ReconnectOptions, UrlError, UrlWebSocketOptions, WebSocket } from '../../lib/index.ts'
import { is, type Same } from './same.ts'

export const options: readonly UrlWebSocketOptions[] = [
  {},
  { headers: { Authorization: 'Bearer x' }, protocols: ['a', 'b'], origin: 'https://example.com' },
  { headers: 'Authorization: Bearer x\r\nX-Other: y', protocols: 'a', timeout: 0, handshakeTimeout: Infinity },
  { pingPeriod: 30_000, maxMessage: 1 << 20, maxFrame: 0, partial: true, signal: AbortSignal.timeout(1000) },
  { compression: true },
  { compression: 'takeover' },
  { tls: { ca: 'PEM', servername: 'example.com', rejectUnauthorized: true, minVersion: 'TLSv1.3' } },
]

export const wrong: readonly UrlWebSocketOptions[] = [
  // @ts-expect-error no such option
  { header: {} },
  // @ts-expect-error bytes are a number: units are for config files
  { maxMessage: '1MB' },
  // @ts-expect-error milliseconds are a number
  { timeout: '30 secs' },
  // @ts-expect-error a header has text
  { headers: { 'X-Count': 1 } },
  // @ts-expect-error only a loop asks anew for each attempt
  { headers: () => ({}) },
  // @ts-expect-error no such mode
  { compression: 'always' },
  // @ts-expect-error too old
  { tls: { minVersion: 'TLSv1' } },
]

export const loops: readonly ReconnectOptions[] = [
  {},
  { headers: () => ({ Authorization: 'Bearer x' }), reconnectInterval: 1000, stableAfter: 0, unref: true },
  { headers: async () => 'Authorization: Bearer x' },
  { reconnectInterval: { min: 100, max: 30_000 } },
  { reconnectInterval: { min: 100, max: 30_000, factor: 1.5, jitter: 'full' } },
  { shouldReconnect: (status, reason, httpStatus) => status !== 1008 && reason === null && httpStatus !== 401 },
]

export const wrongLoops: readonly ReconnectOptions[] = [
  // @ts-expect-error a wait that grows has a longest one
  { reconnectInterval: { min: 100 } },
  // @ts-expect-error no such jitter
  { reconnectInterval: { min: 1, max: 2, jitter: 'half' } },
  // @ts-expect-error it says yes or no
  { shouldReconnect: () => 1 },
]

interface Session {
  user: string
}

export async function loop(running: ClientLoop<Session>): Promise<void> {
  is<Same<typeof running.ws, WebSocket<Session> | null>>()
  is<Same<typeof running.attempts, number>>()
  is<Same<typeof running.done, Promise<number>>>()
  running.stop()
  running.stop(1000, 'bye')
  await running.done
  // @ts-expect-error there is none between two attempts
  running.ws.state.toFixed()
  // @ts-expect-error for reading
  running.attempts = 0
}

export function failed(error: UrlError): void {
  is<Same<typeof error.code, number>>()
  is<Same<typeof error.status, number>>()
  is<Same<typeof error.body, string>>()
  is<Same<(typeof error.headers)['retry-after'], string | undefined>>()
}
