import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Web, WebAction } from '../../../include-types/web.ts'
import { toTarget } from '../action.ts'
import { ConfigError } from '../config/error.ts'
import type { HandlerFactory } from '../handler.ts'
import { importModule } from '../modules/import.ts'

const METHODS = ['GET', 'HEAD', 'POST']

/** Program code behind a route: the route's module, or what `webAddAction` has registered for the path. */
export const actionHandler: HandlerFactory = async (route, host) => {
  const own = route.module === null ? null : toTarget(await loadAction(route.module), null)
  if (own === null && host.actions.empty) {
    host.warnings.push(`route '${route.match}' has neither a module nor an action: it answers 404`)
  }
  return { methods: METHODS, upgrades: true, find: (path) => own ?? host.actions.find(path) }
}

const isAction = (value: unknown): value is WebAction => typeof value === 'function'

async function loadAction(path: string): Promise<(web: Web) => unknown> {
  if (!existsSync(path)) throw new ConfigError([`${path}: no such file, though a route names it as its module`])
  const module = await importModule(pathToFileURL(path).href).catch((error: unknown) => {
    throw new ConfigError([`${path}: ${error instanceof Error ? error.message : String(error)}`])
  })
  if (typeof module === 'object' && module !== null && 'default' in module && isAction(module.default)) {
    return module.default
  }
  throw new ConfigError([`${path}: has no default export that is a function`])
}
