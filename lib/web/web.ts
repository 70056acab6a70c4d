import type { Web, WebHost } from '../../include-types/web.ts'
import type { Exchange } from '../engine/port.ts'
import { R_ERR_BAD_ARGS, R_ERR_BAD_STATE } from '../websock/constants.ts'
import { format } from '../websock/format.ts'
import type { Socket } from '../websock/socket.ts'
import { answer, give } from './answer.ts'
import type { Target } from './path.ts'

/** One request on its way through a route. */
export class Request implements Web {
  readonly exchange: Exchange
  readonly host: WebHost
  readonly path: string
  readonly query: string
  readonly maxBody: number
  webSocket: Socket | null = null

  constructor(exchange: Exchange, target: Target, host: WebHost, maxBody: number) {
    this.exchange = exchange
    this.host = host
    this.path = target.path
    this.query = target.query
    this.maxBody = maxBody
  }

  get method(): string {
    return this.exchange.method
  }

  get url(): string {
    return this.exchange.target
  }

  get remote(): string {
    return this.exchange.remoteAddress
  }

  get upgrade(): boolean {
    return this.webSocket !== null
  }
}

const toExchange = (web: Web): Exchange | null => (web instanceof Request ? web.exchange : null)

/** A header of the request, by its name in any case; null when it is not there. */
export function webGetHeader(web: Web, name: string): string | null {
  const headers = toExchange(web)?.headers ?? {}
  const key = name.toLowerCase()
  return Object.hasOwn(headers, key) ? (headers[key] ?? null) : null
}

/** A variable of the query, decoded; null when it is not there. */
export const webGetQueryVar = (web: Web, name: string): string | null => new URLSearchParams(web.query).get(name)

/** The body of the request; null when it exceeds `limits.body`, or the peer has gone. */
export const webReadBody = (web: Web): Promise<Buffer | null> =>
  web instanceof Request ? web.exchange.readBody(web.maxBody) : Promise.resolve(null)

/**
 * Answers with a status and text, formatted as printf does. Returns 0, or -14 when the request has been answered, was
 * upgraded, or its peer has gone.
 */
export function webWriteResponse(web: Web, status: number, fmt: string, ...args: unknown[]): number {
  const exchange = toExchange(web)
  if (exchange === null || !Number.isInteger(status) || status < 200 || status > 599) return R_ERR_BAD_ARGS
  if (exchange.done) return R_ERR_BAD_STATE
  give(exchange, answer(status, format(fmt, args)))
  return 0
}
