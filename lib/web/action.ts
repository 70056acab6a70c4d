import type { WebAction } from '../../include-types/web.ts'
import { webSocketSendClose } from '../websock/close.ts'
import { R_ERR_BAD_ARGS } from '../websock/constants.ts'
import { RunResult } from '../websock/result.ts'
import { isThenable } from '../websock/thenable.ts'
import { answer } from './answer.ts'
import type { Target } from './handler.ts'
import type { Request } from './web.ts'

/** For an action that has tried to run a connection where there is none. */
const NEEDS_UPGRADE = answer(400, 'This is a WebSocket: connect with ws://')

/** What a call returns that has done nothing. */
const isRefusal = (result: unknown): result is number => typeof result === 'number' && result < 0

/** An action as what serves requests. */
export const toTarget = (action: WebAction, role: string | null): Target => ({
  role,
  serve: (request) => run(action, request),
})

/** Nothing is kept for a connection that runs: what `webSocketRun` has returned never rejects. */
function run(action: WebAction, request: Request): void {
  request.rememberRemote()
  // What it makes has no parts to ask for.
  request.response?.add([['Accept-Ranges', 'none']])
  try {
    const result = action(request)
    // The usual case; what was returned holds nothing that the connection has not.
    const { webSocket } = request
    if (result instanceof RunResult && webSocket !== null && webSocket.proc !== null) return
    if (isRefusal(result) && request.response?.started === false) {
      throw new Error(`it returned ${result}, and has answered nothing`)
    }
    if (!isThenable(result)) return finished(request, false)
    void Promise.resolve(result).then(
      // What `webSocketRun` says where there is no connection.
      (value) => finished(request, value === R_ERR_BAD_ARGS),
      (error: unknown) => request.fail('Action failed', error),
    )
  } catch (error) {
    request.fail('Action failed', error)
  }
}

/** `refused`: it wanted a connection. */
function finished(request: Request, refused: boolean): void {
  const { webSocket, response } = request
  // Once run, a connection lives on its own; one that nobody has run ends with its action.
  if (webSocket !== null) {
    if (webSocket.proc === null) webSocketSendClose(webSocket)
  } else if (response?.started) response.end()
  else response?.give(refused ? NEEDS_UPGRADE : answer(200))
}
