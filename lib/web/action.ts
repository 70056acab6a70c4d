import type { WebAction } from '../../include-types/web.ts'
import { webSocketSendClose } from '../websock/close.ts'
import { RunResult } from '../websock/result.ts'
import { isThenable } from '../websock/thenable.ts'
import { answer } from './answer.ts'
import type { Target } from './handler.ts'
import type { Request } from './web.ts'

/** For an action that has tried to run a connection where there is none. */
const NEEDS_UPGRADE = answer(400, 'This is a WebSocket: connect with ws://')
const isCode = (result: unknown): boolean => typeof result === 'number' && result < 0

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
    if (!isThenable(result)) return finished(request, result)
    void Promise.resolve(result).then(
      (value) => finished(request, value),
      (error: unknown) => request.fail('Action failed', error),
    )
  } catch (error) {
    request.fail('Action failed', error)
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
