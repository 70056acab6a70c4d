import type { Engine, ServerPort } from '../engine/port.ts'
import type { Context } from '../websock/context.ts'
import type { Socket } from '../websock/socket.ts'
import type { Crowd } from './crowd.ts'
import type { Site } from './dispatch.ts'
import type { Listening } from './listening.ts'

/** What there is while a host runs. */
export interface Running {
  readonly engine: Engine
  readonly server: ServerPort
  /** Shared by all connections. */
  readonly context: Context
  readonly crowd: Crowd
  site: Site
  listening: readonly Listening[]
}

/** Whether a route has these connections. */
export const isServed = ({ routes }: Site, context: Context): boolean =>
  routes.some((route) => route.context === context)

export const NOBODY: ReadonlySet<Socket> = new Set()
