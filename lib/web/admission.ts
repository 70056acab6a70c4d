import { isIP } from 'node:net'
import type { Exchange } from '../engine/port.ts'
import { Proxies } from './address.ts'
import { type Answer, answer } from './answer.ts'
import type { AdmissionSettings, RouteSettings } from './config/settings.ts'
import { hasCredential } from './credential.ts'
import type { Crowd } from './crowd.ts'
import type { WebObserver } from './observer.ts'
import { queryOf } from './path.ts'
import type { Response } from './response.ts'

/** Why a request is not let in, for metrics. */
export type Refusal =
  | 'stopping'
  | 'connections'
  | 'address'
  | 'rate'
  | 'handshake'
  | 'route'
  | 'method'
  | 'host'
  | 'origin'
  | 'body'
  | 'credential'
  | 'role'
  | 'protocol'
  | 'action'

/** Seconds after which it is worth another try, where nobody can know. */
const RETRY = 5

/** Where a request is refused. */
export interface Refused {
  readonly refusal: Refusal
  readonly answer: Answer
}

const refused = (refusal: Refusal, given: Answer): Refused => ({ refusal, answer: given })

const RETRY_LATER = [['Retry-After', String(RETRY)]] as const
const CROWDED = refused('connections', answer(503, 'Too many connections', RETRY_LATER))
const WRONG_HOST = refused('host', answer(421))
const WRONG_ORIGIN = refused('origin', answer(403, 'Origin not allowed'))
const NO_CREDENTIAL = refused('credential', answer(401, undefined, [['WWW-Authenticate', 'Bearer']]))
export const NO_ROOM = refused('address', answer(429, 'Too many connections from this address', RETRY_LATER))
export const STOPPING = refused('stopping', answer(503, undefined, RETRY_LATER))

/** Answers why not, and tells. */
export function refuse(response: Response, observer: WebObserver, { refusal, answer: given }: Refused): void {
  observer.refused(response.exchange, refusal, given.status)
  response.give(given)
}

/** Who is let in: what holds for the whole host. */
export class Admission {
  readonly #settings: AdmissionSettings
  readonly #crowd: Crowd
  readonly #proxies: Proxies

  constructor(settings: AdmissionSettings, crowd: Crowd) {
    this.#settings = settings
    this.#crowd = crowd
    this.#proxies = new Proxies(settings.trustedProxies)
  }

  /** The client's address: that of the peer, or what proxies of ours say. */
  addressOf({ remoteAddress, headers }: Exchange): string {
    return this.#proxies.clientOf(remoteAddress, headers['x-forwarded-for'])
  }

  /** Whether a proxy of ours has handed on a request. */
  isForwarded({ remoteAddress, headers }: Exchange): boolean {
    return headers['x-forwarded-for'] !== undefined && this.#proxies.trusts(remoteAddress)
  }

  /** Whether the client's connection is encrypted, as far as we know, or a proxy of ours. */
  isSecure({ remoteAddress, headers, secure }: Exchange): boolean {
    const schemes = headers['x-forwarded-proto']
    if (schemes === undefined || !this.#proxies.trusts(remoteAddress)) return secure
    // Of several proxies the first has met the client.
    return /^\s*(?:https|wss)\s*(?:,|$)/i.test(schemes)
  }

  /** Whether there is room for one more request; asked before anything that costs more. */
  checkRoom(exchange: Exchange, upgrades: boolean): Refused | null {
    const { addressRate } = this.#settings
    if (exchange.crowded) return CROWDED
    if (upgrades && !this.hasRoom(exchange)) return NO_ROOM
    const wait = addressRate === Infinity ? 0 : this.#crowd.take(this.addressOf(exchange), addressRate)
    return wait === 0 ? null : refused('rate', answer(429, undefined, [['Retry-After', String(wait)]]))
  }

  /** Whether its sender may have one more WebSocket. */
  hasRoom(exchange: Exchange): boolean {
    const { addressConnections } = this.#settings
    return addressConnections === Infinity || this.#crowd.connections(this.addressOf(exchange)) < addressConnections
  }

  /** Whether the host is called by a name of its own. */
  checkHost({ headers }: Exchange): Refused | null {
    const { hosts } = this.#settings
    return hosts === null || isOneOf(hosts, hostOf(headers)) ? null : WRONG_HOST
  }

  /**
   * Whether the page that opens the connection may: loopback is no protection against a page in the user's browser. Programs
   * send no Origin. A page of the same host may, unless its name could be anybody's: whoever owns a name can let it point to a
   * loopback address, and is the same host then.
   */
  checkOrigin(exchange: Exchange, { origins, authenticates }: RouteSettings): Refused | null {
    const { origin } = exchange.headers
    if (origin === undefined || origins.includes('*') || origins.includes(origin)) return null
    // Such a page would need the credential first.
    if (authenticates && origins.length === 0) return null
    const same = URL.canParse(origin) && new URL(origin).host === exchange.headers['host']?.toLowerCase()
    return same && this.#isOurs(exchange) ? null : WRONG_ORIGIN
  }

  /**
   * The same for a plain request, with which a browser may say no origin: then where it comes from, by Fetch Metadata. What a user
   * has typed comes from nowhere.
   */
  checkPage(exchange: Exchange, route: RouteSettings): Refused | null {
    const { origin, 'sec-fetch-site': site = 'none' } = exchange.headers
    if (origin !== undefined || site === 'none') return this.checkOrigin(exchange, route)
    if (route.origins.includes('*') || (route.authenticates && route.origins.length === 0)) return null
    return site === 'same-origin' && this.#isOurs(exchange) ? null : WRONG_ORIGIN
  }

  /** Whether the name that a browser has for this host is known to be ours. */
  #isOurs(exchange: Exchange): boolean {
    const { hosts, loopback, name } = this.#settings
    const called = hostOf(exchange.headers)
    return hosts !== null || !loopback || isOwn(called) || called === name || this.isForwarded(exchange)
  }
}

/** The name in a Host header, in lower case, without its port. */
const hostOf = (headers: Exchange['headers']): string =>
  (headers['host'] ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')

/** A name that nobody else can let point here. */
const isOwn = (name: string): boolean =>
  name === 'localhost' || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')) !== 0

const isOneOf = (hosts: readonly string[], name: string): boolean =>
  hosts.some((host) => (host.startsWith('*.') ? name.endsWith(host.slice(1)) : name === host || name === `[${host}]`))

/** Whether a request has the token of its route. */
export const checkCredential = ({ headers, target }: Exchange, token: string | null): Refused | null =>
  token === null || hasCredential(headers, queryOf(target), token) ? null : NO_CREDENTIAL
