import type { Web, WebHost } from '../../include-types/web.ts'
import type { Exchange } from '../engine/port.ts'
import { intern } from '../websock/intern.ts'
import { R_ERR_BAD_ARGS, R_ERR_BAD_STATE } from '../websock/constants.ts'
import { format } from '../websock/format.ts'
import type { Socket } from '../websock/socket.ts'
import { type Answer, answer, give } from './answer.ts'
import { packHeaders, unpackHeaders } from './headers.ts'
import { queryOf, type Target } from './path.ts'

const KEY = 'sec-websocket-key'

/** One request on its way through a route. */
export class Request implements Web {
  /** Null once upgraded: an idle connection keeps no more of its handshake than it must. */
  exchange: Exchange | null
  readonly host: WebHost
  readonly url: string
  readonly path: string
  webSocket: Socket | null = null
  #header = ''

  constructor(exchange: Exchange, target: Target, host: WebHost) {
    this.exchange = exchange
    this.host = host
    this.url = intern(exchange.target)
    this.path = target.path === exchange.target ? this.url : intern(target.path)
  }

  /** From here on the request is a connection. */
  become(ws: Socket): void {
    const { [KEY]: key = null, ...headers } = this.headers
    ws.parent = this
    ws.clientKey = key
    this.webSocket = ws
    this.#header = intern(packHeaders(headers))
    this.exchange = null
  }

  get headers(): Exchange['headers'] {
    if (this.exchange !== null) return this.exchange.headers
    const key = this.webSocket?.clientKey ?? null
    return { ...unpackHeaders(this.#header), ...(key === null ? {} : { [KEY]: key }) }
  }

  /** Gives an answer, where one can still be given. */
  give(given: Answer): void {
    if (this.exchange !== null) give(this.exchange, given)
  }

  get query(): string {
    return queryOf(this.url)
  }

  get method(): string {
    return this.exchange?.method ?? 'GET'
  }

  get remote(): string {
    return this.exchange?.remoteAddress ?? this.webSocket?.remoteAddress ?? ''
  }

  get upgrade(): boolean {
    return this.webSocket !== null
  }
}

/** A header of the request, by its name in any case; null when it is not there. */
export function webGetHeader(web: Web, name: string): string | null {
  const headers = web instanceof Request ? web.headers : {}
  const key = name.toLowerCase()
  return Object.hasOwn(headers, key) ? (headers[key] ?? null) : null
}

/** A variable of the query, decoded; null when it is not there. */
export const webGetQueryVar = (web: Web, name: string): string | null => new URLSearchParams(web.query).get(name)

/** The body of the request; null when it exceeds `limits.body`, or the peer has gone. */
export const webReadBody = (web: Web): Promise<Buffer | null> =>
  (web instanceof Request ? web.exchange?.readBody() : null) ?? Promise.resolve(null)

/**
 * Answers with a status and text, formatted as printf does. Returns 0, or -14 when the request has been answered, was
 * upgraded, or its peer has gone.
 */
export function webWriteResponse(web: Web, status: number, fmt: string, ...args: unknown[]): number {
  if (!(web instanceof Request) || !Number.isInteger(status) || status < 200 || status > 599) return R_ERR_BAD_ARGS
  const { exchange } = web
  if (exchange === null || exchange.done) return R_ERR_BAD_STATE
  give(exchange, answer(status, format(fmt, args)))
  return 0
}
