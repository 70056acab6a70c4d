import { createConnection } from '../websock/receive.ts'
import { NO_ROOM, refuse, type Refused, STOPPING } from './admission.ts'
import { answer } from './answer.ts'
import type { Route, Site } from './dispatch.ts'
import type { Target } from './handler.ts'
import { selectProtocol } from './handshake.ts'
import { notFound, tellConnect } from './hooks.ts'
import type { Response } from './response.ts'
import type { Request } from './web.ts'

const NO_PROTOCOL: Refused = { refusal: 'protocol', answer: answer(400, 'Unsupported Sec-WebSocket-Protocol') }

/** Answers 101 and makes the connection, or answers why not. */
export function upgrade(
  request: Request,
  response: Response,
  target: Target | null,
  { context }: Route,
  { host, settings, admission, observer }: Site,
): boolean {
  const { exchange } = response
  const protocol = target?.ignoresProtocols === true ? '' : selectProtocol(exchange, settings.protocols)
  if (protocol === null) refuse(response, observer, NO_PROTOCOL)
  else if (target === null) notFound(request, 'No action', 'action')
  // Others may have come while a role was asked for.
  else if (!admission.hasRoom(exchange)) refuse(response, observer, NO_ROOM)
  // So may a stop, or a reload that took the route away.
  else if (!host.takes(context)) refuse(response, observer, STOPPING)
  else {
    const address = admission.addressOf(exchange)
    const transport = exchange.upgrade(protocol, response.headers)
    if (transport === null) {
      response.lost()
      return false
    }
    const ws = createConnection(transport, context, address, false)
    ws.protocol = protocol === '' ? null : protocol
    request.become(ws)
    observer.opened(ws, request.path)
    tellConnect(request, ws)
    return true
  }
  return false
}
