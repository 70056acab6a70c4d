import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Web, WebAction } from '../../../include-types/web.ts'
import { webSocketSendClose } from '../../websock/close.ts'
import { WS_STATUS_INTERNAL_ERROR } from '../../websock/constants.ts'
import { rError } from '../../websock/log.ts'
import { answer, give } from '../answer.ts'
import { ConfigError } from '../config.ts'
import type { HandlerFactory } from '../handler.ts'
import type { Request } from '../web.ts'

const METHODS = ['GET', 'HEAD', 'POST']
/** For an action that has tried to run a connection where there is none. */
const NEEDS_UPGRADE = answer(400, 'This is a WebSocket: connect with ws://')
const isCode = (result: unknown): boolean => typeof result === 'number' && result < 0

/** Program code behind a route: the route's module, or what `webAddAction` has registered for the path. */
export const actionHandler: HandlerFactory = async (route, host) => {
  const own = route.module === null ? null : await loadAction(route.module)
  if (own === null && !host.hasActions) {
    host.warnings.push(`route '${route.match}' has neither a module nor an action: it answers 404`)
  }
  const find = (path: string): WebAction | null => own ?? host.findAction(path)
  return {
    methods: METHODS,
    upgrades: true,
    has: (path) => find(path) !== null,
    serve: async (request) => run(find(request.path), request),
  }
}

async function run(action: WebAction | null, request: Request): Promise<void> {
  const { exchange, webSocket } = request
  if (action === null) return give(exchange, answer(404, 'No action'))
  let result: unknown
  try {
    result = await action(request)
  } catch (error) {
    rError('web', 'Action failed: %s', error instanceof Error ? error.stack : error)
    if (webSocket !== null) webSocketSendClose(webSocket, WS_STATUS_INTERNAL_ERROR)
    else give(exchange, answer(500))
    return
  }
  // Once run, a connection lives on its own; one that nobody has run ends with its action.
  if (webSocket === null) give(exchange, isCode(result) ? NEEDS_UPGRADE : answer(200))
  else if (webSocket.callback === null) webSocketSendClose(webSocket)
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

/** TypeScript is compiled as it is loaded, where the process does not do so already. */
async function importModule(url: string): Promise<unknown> {
  try {
    return await import(url)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION')) throw error
    const { register } = await import('tsx/esm/api')
    register()
    return import(url)
  }
}
