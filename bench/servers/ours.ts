import type { WebSocketProc } from '../../include-types/websock.ts'
import * as fiberws from '../../lib/index.ts'
import { makeSite } from './site.ts'

/** fiberws: text as a string, or as a view of the engine's memory. */
export async function startOurs(engine: 'uws' | 'node', mode: 'string' | 'view'): Promise<number> {
  const { WS_EVENT_MESSAGE, WS_EVENT_OPEN, WS_MSG_BINARY } = fiberws
  const { webSocketPublish, webSocketRun, webSocketSendBlock, webSocketSubscribe } = fiberws
  fiberws.rSetLogSink(() => {})
  const host = fiberws.webAllocHost({
    web: {
      engine,
      listen: 'http://127.0.0.1:0',
      limits: { maxMessage: '64MB', maxFrame: 0, connections: 'unlimited' },
      timeouts: { inactivity: 'never' },
      routes: [{ handler: 'action' }],
    },
  })
  // One callback for all connections, as the other servers have.
  const echo: WebSocketProc = (ws, event, buf) => {
    if (event === WS_EVENT_MESSAGE && ws !== null) webSocketSendBlock(ws, ws.type, buf)
  }
  const fan: WebSocketProc = (ws, event, buf) => {
    if (event === WS_EVENT_OPEN) webSocketSubscribe(ws, 'all')
    if (event === WS_EVENT_MESSAGE && ws !== null) {
      webSocketPublish(ws.topics, 'all', buf ?? '', ws.type === WS_MSG_BINARY)
    }
  }
  fiberws.webAddAction(host, '/', ({ webSocket, path }) => {
    fiberws.webSocketSetView(webSocket, mode === 'view')
    fiberws.webSocketSetRaw(webSocket, mode === 'view')
    return webSocketRun(webSocket, path === '/fan' ? fan : echo)
  })
  return start(host)
}

export async function start(host: fiberws.WebHost): Promise<number> {
  if ((await fiberws.webStartHost(host)) !== 0) throw new Error(fiberws.webGetError(host) ?? 'cannot start')
  return fiberws.webGetPort(host)
}

/** A route of files, as a config has it. */
export const startOursFiles = (engine: 'uws' | 'node'): Promise<number> =>
  start(
    fiberws.webAllocHost({
      web: {
        engine,
        listen: 'http://127.0.0.1:0',
        limits: { connections: 'unlimited', requests: 'unlimited' },
        routes: [{ match: '/', documents: makeSite() }],
      },
    }),
  )
