import { existsSync } from 'node:fs'
import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { Web, WebAction } from '../../../include-types/web.ts'
import { webSocketSendClose } from '../../websock/close.ts'
import { WS_STATUS_INTERNAL_ERROR } from '../../websock/constants.ts'
import { rFailure } from '../../websock/log.ts'
import { RunResult } from '../../websock/result.ts'
import { answer } from '../answer.ts'
import { ConfigError } from '../config/load.ts'
import type { HandlerFactory } from '../handler.ts'
import { isThenable } from '../../websock/thenable.ts'
import type { Request } from '../web.ts'
import { TYPESCRIPT } from './typescript.ts'

const METHODS = ['GET', 'HEAD', 'POST']
const NO_ACTION = answer(404, 'No action')
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
    serve: (request) => run(find(request.path), request),
  }
}

/** Nothing is kept for a connection that runs: what `webSocketRun` has returned never rejects. */
function run(action: WebAction | null, request: Request): void {
  if (action === null) return request.response?.give(NO_ACTION)
  try {
    const result = action(request)
    // The usual case; what was returned holds nothing that the connection has not.
    const { webSocket } = request
    if (result instanceof RunResult && webSocket !== null && webSocket.proc !== null) return
    if (!isThenable(result)) return finished(request, result)
    void Promise.resolve(result).then(
      (value) => finished(request, value),
      (error: unknown) => failed(request, error),
    )
  } catch (error) {
    failed(request, error)
  }
}

function finished(request: Request, result: unknown): void {
  const { webSocket, response } = request
  // Once run, a connection lives on its own; one that nobody has run ends with its action.
  if (webSocket !== null) {
    if (webSocket.proc === null) webSocketSendClose(webSocket)
  } else if (response?.started) response.end()
  else response?.give(isCode(result) ? NEEDS_UPGRADE : answer(200))
}

function failed(request: Request, error: unknown): void {
  const { webSocket, response } = request
  rFailure('web', 'Action failed', error)
  if (webSocket !== null) webSocketSendClose(webSocket, WS_STATUS_INTERNAL_ERROR)
  else if (response?.started) response.abort()
  else response?.give(answer(500))
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

let compiles = import.meta.url.endsWith('.ts')

/** TypeScript is compiled as it is loaded: by ourselves, unless this file runs from its source and somebody does already. */
async function importModule(url: string): Promise<unknown> {
  if (!compiles && TYPESCRIPT.test(url)) {
    compiles = true
    register('./typescript.js', import.meta.url)
  }
  return import(url)
}
