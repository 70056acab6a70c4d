import type { Web, WebAuthorize, WebHook, WebHost } from '../../include-types/web.ts'
import type { Exchange } from '../engine/port.ts'
import { dismiss } from '../websock/close.ts'
import { WS_STATUS_INTERNAL_ERROR } from '../websock/constants.ts'
import { intern } from '../websock/intern.ts'
import { rFailure } from '../websock/log.ts'
import type { Socket } from '../websock/socket.ts'
import { packHeaders, unpackHeaders } from './headers.ts'
import type { WebObserver } from './observer.ts'
import { queryOf } from './path.ts'
import type { Response } from './response.ts'
import { trimPath } from './router.ts'

/** A host, as its requests see it. */
export interface Owner extends WebHost {
  /** Who may use what has a role; null: nobody. */
  readonly authorize: WebAuthorize | null
  /** Told of each request, and asked. */
  readonly hook: WebHook | null
  readonly observer: WebObserver
  /** The address of the client who sends a request. */
  addressOf(exchange: Exchange): string
}

const SWITCHING = 101
const KEY = 'sec-websocket-key'

/** One request on its way through a route. */
export class Request implements Web {
  /** Null once upgraded: an idle connection keeps no more of its handshake than it must. */
  response: Response | null
  readonly host: Owner
  url: string
  path: string
  webSocket: Socket | null = null
  #header = ''
  #remote: string | null = null

  /** @param path the target's, decoded and normalised */
  constructor(response: Response, path: string, host: Owner) {
    const { target } = response.exchange
    this.response = response
    this.host = host
    this.url = target
    this.path = path
  }

  /** For programs, which may ask for the peer's address when the request is over. */
  rememberRemote(): void {
    this.#remote = this.exchange === null ? null : this.host.addressOf(this.exchange)
  }

  /** Takes off the front of the path what its route says. */
  trim(prefix: string): void {
    if (prefix !== '') this.path = trimPath(this.path, prefix)
  }

  /** What is ours to mend is logged in full and tells the peer nothing. */
  fail(what: string, error: unknown): void {
    rFailure('web', what, error)
    if (this.webSocket === null) this.response?.fail()
    else dismiss(this.webSocket, WS_STATUS_INTERNAL_ERROR, what)
  }

  /** From here on the request is a connection. */
  become(ws: Socket): void {
    const { headers } = this
    this.url = intern(this.url)
    this.path = intern(this.path)
    ws.parent = this
    ws.clientKey = headers[KEY] ?? null
    this.webSocket = ws
    this.#header = intern(packHeaders(headers, KEY))
    this.response = null
  }

  get exchange(): Exchange | null {
    return this.response?.exchange ?? null
  }

  get headers(): Exchange['headers'] {
    if (this.exchange !== null) return this.exchange.headers
    const key = this.webSocket?.clientKey ?? null
    return { ...unpackHeaders(this.#header), ...(key === null ? {} : { [KEY]: key }) }
  }

  get query(): string {
    return queryOf(this.url)
  }

  get method(): string {
    return this.exchange?.method ?? 'GET'
  }

  get protocol(): string {
    return `HTTP/${this.exchange?.version ?? '1.1'}`
  }

  get status(): number {
    return this.response === null ? SWITCHING : this.response.status
  }

  get remote(): string {
    if (this.#remote !== null) return this.#remote
    return this.exchange === null ? (this.webSocket?.remoteAddress ?? '') : this.host.addressOf(this.exchange)
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

/**
 * The body of the request. Null when it is longer than the limit of its route: the request is answered with 413 then; and
 * when the peer has gone.
 */
export async function webReadBody(web: Web): Promise<Buffer | null> {
  const response = web instanceof Request ? web.response : null
  if (response === null) return null
  const body = await response.exchange.readBody(response.maxBody)
  if (body === null) response.refuseBody()
  return body
}
