import { isDeepStrictEqual } from 'node:util'
import type { Engine } from '../engine/port.ts'
import { rInfo } from '../websock/log.ts'
import type { Settings } from './config/settings.ts'
import type { Route } from './dispatch.ts'
import type { HandlerTable } from './handler.ts'
import type { Host } from './host.ts'
import type { ObservatoryFactory } from './observer.ts'
import { findShortage } from './open-files.ts'
import { type Draft, draftRoutes, findClosed } from './routes.ts'

/** What a host is put together from. */
export interface Parts {
  readonly handlers: HandlerTable
  /** Finds the engine that a config asks for; `notice` is for the log. */
  selectEngine(choice: Settings['engine']): Promise<{ engine: Engine; notice: string | null }>
  readonly createObservatory: ObservatoryFactory
}

/** Everything that a start needs before it opens a listener. */
export interface Preparation {
  readonly engine: Engine
  readonly drafts: readonly Draft[]
}

/** Finds the engine, and makes the handlers; what the user should hear about goes to the host's warnings. Throws what is wrong. */
export async function prepare(
  settings: Settings,
  host: Host,
  parts: Parts,
  running: readonly Route[],
): Promise<Preparation> {
  const { warnings } = host
  const { engine, notice } = await parts.selectEngine(settings.engine)
  if (notice !== null) rInfo('web', '%s', notice)
  warnings.push(...settings.warnings, ...unfollowed(engine, settings), ...findShortage(settings))
  const drafts = await draftRoutes(settings, host, parts.handlers, running)
  if (host.authorize === null) warnings.push(...findClosed(drafts))
  return { engine, drafts }
}

/** What a reload leaves as it was, and what there is to say where that is not what the new settings say. */
export function keepFixed(next: Settings, now: Settings): { readonly settings: Settings; readonly warnings: string[] } {
  const { observe, gateway, onebot, data } = now
  const fixed = [
    ['observe counts', next.observe, observe],
    ['gateway counts', next.gateway, gateway],
    ['what onebot says of its bots counts', next.onebot, onebot],
    ['dataDir and synchronous count', next.data, data],
  ] as const
  const warnings = fixed
    .filter(([, one, other]) => !isDeepStrictEqual(one, other))
    .map(([name]) => `${name} after a restart`)
  return { settings: { ...next, observe, gateway, onebot, data }, warnings }
}

/** What the config asks for and the engine does not do, a line each. */
const unfollowed = (engine: Engine, { stated }: Settings): string[] =>
  engine.unfollowed
    .filter(({ setting, unless }) => stated.has(setting) && stated.get(setting) !== unless)
    .map(({ setting, instead }) => `web.${setting} has no effect on the ${engine.name} engine: ${instead}`)
