import type { RouteSettings } from './config/settings.ts'
import type { Host } from './host.ts'
import type { Request } from './web.ts'

/** What serves a path. */
export interface Target {
  /** What its sender has to be, beside what the route asks for; null: anybody. */
  readonly role: string | null
  /** Answers a request, or runs its connection; undefined when nothing is left to wait for. */
  serve(request: Request): Promise<void> | undefined | void
}

/** What stands behind a route. */
export interface Handler {
  /** Methods that it serves unless its route says otherwise; others are answered with 405. */
  readonly methods: readonly string[]
  /** Whether it takes WebSockets; where not, an upgrade request is served like any other. */
  readonly upgrades: boolean
  /** What serves a path; null for nothing: to be known before an upgrade, for after it there is no 404. */
  find(path: string): Target | null
}

/** Makes the handler of a route, once, when its host starts. Throws when the route cannot work. */
export type HandlerFactory = (route: RouteSettings, host: Host) => Handler | Promise<Handler>

/** Handlers by the name that a route gives. */
export type HandlerTable = Readonly<Record<RouteSettings['handler'], HandlerFactory>>
