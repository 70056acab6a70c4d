import type { Context } from '../websock/context.ts'
import { webSocketSetLimits, webSocketSetPartial } from '../websock/handle.ts'
import { createConnection } from '../websock/receive.ts'
import { answer } from './answer.ts'
import type { RouteSettings, Settings } from './config/settings.ts'
import type { Target } from './handler.ts'
import { selectProtocol } from './handshake.ts'
import { notFound, tellConnect } from './hooks.ts'
import type { Response } from './response.ts'
import type { Request } from './web.ts'

/** Where a connection belongs. */
interface Home {
  readonly settings: Settings
  readonly context: Context
}

/** Answers 101 and makes the connection, or answers why not. */
export function upgrade(
  request: Request,
  response: Response,
  target: Target | null,
  { limits, partial }: RouteSettings,
  { settings, context }: Home,
): boolean {
  const { exchange } = response
  const protocol = selectProtocol(exchange, settings.protocols)
  if (protocol === null) response.give(answer(400, 'Unsupported Sec-WebSocket-Protocol'))
  else if (target === null) notFound(request, 'No action')
  else {
    const { remoteAddress } = exchange
    const transport = exchange.upgrade(protocol, response.headers)
    if (transport === null) {
      response.lost()
      return false
    }
    const ws = createConnection(transport, context, remoteAddress, false)
    ws.protocol = protocol === '' ? null : protocol
    webSocketSetPartial(ws, partial)
    const { maxFrame, maxMessage } = limits
    if (maxFrame !== settings.webSockets.maxFrame || maxMessage !== settings.webSockets.maxMessage) {
      webSocketSetLimits(ws, maxFrame, maxMessage)
    }
    request.become(ws)
    tellConnect(request, ws)
    return true
  }
  return false
}
