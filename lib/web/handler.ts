import type { RouteSettings } from './config/settings.ts'
import type { Host } from './host.ts'
import type { Answer } from './answer.ts'
import type { Request } from './web.ts'

/** What serves a path. */
export interface Target {
  /** What its sender has to be, beside what the route asks for; null: anybody. */
  readonly role: string | null
  /**
   * Looks at who asks for a WebSocket, before it is accepted: what serves this one, or why not. Without it, whoever the
   * route lets in is served.
   */
  admit?(request: Request): Target | Answer
  /** It knows no sub-protocols: what a client offers is not answered. Default: those of the host are chosen from. */
  readonly ignoresProtocols?: boolean
  /** Answers a request, or runs its connection; undefined when nothing is left to wait for. */
  serve(request: Request): Promise<void> | undefined | void
}

/** What stands behind a route. */
export interface Handler {
  /** Methods that it serves unless its route says otherwise; others are answered with 405. */
  readonly methods: readonly string[]
  /** Errors of its routes as their clients read them. */
  readonly toError?: (answer: Answer) => Answer
  /** Pages use it from origins of its route only, also by plain requests. */
  readonly checksOrigin?: boolean
  /** It answers OPTIONS itself. */
  readonly answersOptions?: boolean
  /** Before its host listens: where it fails, the host does not start. */
  open?(): void | Promise<void>
  /** Its route is served from now on, after a start or a reload that has not failed. */
  begin?(): void
  /** Its route is served no longer: after a reload, also where another handler serves it now, or because the host stops. */
  end?(): void
  /** Whether it takes WebSockets; where not, an upgrade request is served like any other. */
  readonly upgrades: boolean
  /** What serves a path; null for nothing: to be known before an upgrade, for after it there is no 404. */
  find(path: string): Target | null
}

/** Makes the handler of a route, once, when its host starts. Throws when the route cannot work. */
export type HandlerFactory = (route: RouteSettings, host: Host) => Handler | Promise<Handler>

/** Handlers by the name that a route gives. */
export type HandlerTable = Readonly<Record<RouteSettings['handler'], HandlerFactory>>
