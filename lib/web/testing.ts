import type { Web, WebAction } from '../../include-types/web.ts'
import { webSocketSendClose } from '../websock/close.ts'
import {
  R_ERR_WOULD_BLOCK,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_EVENT_PARTIAL_MESSAGE,
} from '../websock/constants.ts'
import { webSocketSetPartial } from '../websock/handle.ts'
import { webSocketRun } from '../websock/run.ts'
import { webSocketSendBlock, webSocketSendJson } from '../websock/send.ts'
import type { Host } from './host.ts'
import { parseTarget } from './path.ts'
import { webAddHeader, webFinalize, webFlush, webWrite, webWriteJson, webWriteResponseString } from './reply.ts'
import { findRoute } from './router.ts'
import { Request, webGetQueryVar, webReadBody } from './web.ts'

/*
 * Actions to test clients, proxies and load balancers with. They are for test builds: they tell what they are sent, and some
 * answer with as much as they are asked for.
 */

const EVENTS = new Map<number, string>([
  [WS_EVENT_OPEN, 'open'],
  [WS_EVENT_MESSAGE, 'message'],
  [WS_EVENT_PARTIAL_MESSAGE, 'partial'],
  [WS_EVENT_ERROR, 'error'],
  [WS_EVENT_CLOSE, 'close'],
])

/** Paths below the prefix, and what stands there. */
const ACTIONS: Readonly<Record<string, (web: Web, host: Host) => unknown>> = {
  '/ws/partial': (web) => {
    if (web.webSocket !== null) webSocketSetPartial(web.webSocket, true)
    return webSocketRun(web.webSocket, (ws, event, buf, len) => {
      const text = typeof buf === 'string' ? buf : (buf?.toString('base64') ?? null)
      webSocketSendJson(ws, { event: EVENTS.get(event) ?? event, type: ws?.type, fin: ws?.fin, len, text })
    })
  },
  '/ws/slow': (web) => {
    const ms = numberOf(web, 'ms', 100)
    return webSocketRun(web.webSocket, async (ws, event, buf) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      if (event === WS_EVENT_MESSAGE && ws !== null) webSocketSendBlock(ws, ws.type, buf)
    })
  },
  '/ws/close': (web) => {
    const [code, reason] = [numberOf(web, 'code', 1000), webGetQueryVar(web, 'reason') ?? '']
    return webSocketRun(web.webSocket, (ws, event) => {
      if (event === WS_EVENT_OPEN && webSocketSendClose(ws, code, reason) < 0) webSocketSendClose(ws)
    })
  },
  '/ws': (web) =>
    webSocketRun(web.webSocket, (ws, event, buf) => {
      if (event === WS_EVENT_MESSAGE && ws !== null) webSocketSendBlock(ws, ws.type, buf)
    }),
  '/success': (web) => webWriteResponseString(web, 200, 'success'),
  '/bench': (web) => webWriteResponseString(web, 200, 'success'),
  '/error': (web) => webWriteResponseString(web, 200, 'error'),
  '/bulk': (web) => {
    const count = numberOf(web, 'count', 100)
    return writeAll(web, count, (i) => `Hello World ${String(i).padStart(10, '0')}\n`)
  },
  '/buffer': (web) =>
    webWriteResponseString(web, 200, Array.from({ length: 7 }, (_, i) => `Hello World ${i + 1}`).join('\n')),
  '/put': async (web) => {
    const body = await webReadBody(web)
    if (body !== null) webWriteResponseString(web, 200, String(body.length))
  },
  '/stream': async (web) => {
    const body = await webReadBody(web)
    if (body !== null) webWriteJson(web, { length: body.length })
  },
  '/event': (web) => {
    webAddHeader(web, 'Content-Type', 'text/event-stream')
    webAddHeader(web, 'Cache-Control', 'no-cache')
    return writeAll(web, 100, (i) => `id: ${i}\nevent: test\ndata: Event ${i}\n\n`)
  },
  '/form': async (web) => {
    const body = await webReadBody(web)
    if (body === null) return
    const fields = [...new URLSearchParams(body.toString())].map(
      ([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`,
    )
    webAddHeader(web, 'Content-Type', 'text/html; charset=utf-8')
    webWrite(web, `<!doctype html>\n<title>form</title>\n<dl>${fields.join('')}</dl>\n`)
  },
  '/show': async (web, { settings }) => {
    const body = await webReadBody(web)
    if (body === null) return
    const path = parseTarget(web.url)?.path ?? web.path
    webWriteJson(web, {
      url: web.url,
      method: web.method,
      protocol: web.protocol,
      remote: web.remote,
      path: web.path,
      query: Object.fromEntries(new URLSearchParams(web.query)),
      headers: web instanceof Request ? web.headers : {},
      body: { length: body.length, text: body.toString() },
      route: findRoute(settings.routes, path)?.match ?? null,
      limits: settings.server,
    })
  },
}

/** Registers the actions below a prefix. */
export function initTests(host: Host, prefix: string): void {
  const folder = prefix.replace(/\/+$/, '')
  for (const [path, serve] of Object.entries(ACTIONS)) {
    const action: WebAction = (web) => serve(web, host)
    host.addAction(folder + path, action)
  }
}

/** A number of the query, not negative. */
function numberOf(web: Web, name: string, byDefault: number): number {
  const given = Number(webGetQueryVar(web, name) ?? byDefault)
  return Number.isInteger(given) && given >= 0 ? given : byDefault
}

/** Lines in parts, as fast as they are read. */
async function writeAll(web: Web, count: number, line: (i: number) => string): Promise<void> {
  for (let i = 0; i < count;) {
    let part = ''
    while (i < count && part.length < 65_536) part += line(i++)
    while (webWrite(web, part) === R_ERR_WOULD_BLOCK) if ((await webFlush(web)) !== 0) return
  }
  webFinalize(web)
}

/** Text as HTML shows it. */
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => `&#${char.codePointAt(0)};`)
