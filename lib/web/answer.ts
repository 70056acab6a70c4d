import { STATUS_CODES } from 'node:http'
import type { Exchange, HeaderList } from '../engine/port.ts'

/** A short answer in plain text. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: HeaderList
}

export const answer = (status: number, text?: string, headers: HeaderList = []): Answer => ({
  status,
  text: text ?? STATUS_CODES[status] ?? '',
  headers,
})

/** Gives an answer, once; a request that has been answered stays as it is. */
export function give(exchange: Exchange, { status, text, headers }: Answer): void {
  if (exchange.done) return
  const body = `${text}\n`
  exchange.writeHead(status, [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
    ...headers,
  ])
  exchange.end(exchange.method === 'HEAD' ? undefined : body)
}
