/**
 * The servers that are compared. Run as a process (`servers.ts NAME`), this file is one of them: it tells its port, then
 * answers questions, each with a list of numbers; a text in place of the port says why it cannot run.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocketBehavior } from 'uWebSockets.js'
import type { WebSocketProc } from '../include-types/websock.ts'

type Start = () => Promise<number>

/** Each resolves with its port. On '/fan' a message is for everybody, on any other path it comes back. */
const servers = {
  'raw string': () => raw('string'),
  'raw view': () => raw('view'),
  'ours uws string': () => ours('uws', 'string'),
  'ours uws view': () => ours('uws', 'view'),
  'ours node string': () => ours('node', 'string'),
  'ours node view': () => ours('node', 'view'),
  'ws': theirs,
} satisfies Record<string, Start>

type Server = keyof typeof servers

// What a server does not need is not loaded into it, hence the dynamic imports below.

const decode = (message: ArrayBuffer): string => Buffer.from(message).toString()

async function raw(mode: 'string' | 'view'): Promise<number> {
  const { App, us_socket_local_port: portOf } = await import('uWebSockets.js')
  const app = App()
  // Compression is off unless it is asked for.
  const options: WebSocketBehavior<unknown> = {
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxPayloadLength: 64 << 20,
    maxBackpressure: 64 << 20,
  }
  app.ws('/fan', {
    ...options,
    open: (ws) => void ws.subscribe('all'),
    message:
      mode === 'view'
        ? (_ws, message, isBinary) => void app.publish('all', message, isBinary)
        : (_ws, message, isBinary) => void app.publish('all', decode(message), isBinary),
  })
  app.ws('/*', {
    ...options,
    message:
      mode === 'view'
        ? (ws, message, isBinary) => void ws.send(message, isBinary)
        : (ws, message, isBinary) => void ws.send(decode(message), isBinary),
  })
  return new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) =>
      socket === false ? reject(new Error('uWebSockets.js cannot listen')) : resolve(portOf(socket)),
    )
  })
}

async function ours(engine: 'uws' | 'node', mode: 'string' | 'view'): Promise<number> {
  const fiberws = await import('../lib/index.ts')
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
  if ((await fiberws.webStartHost(host)) !== 0) throw new Error(fiberws.webGetError(host) ?? 'cannot start')
  return fiberws.webGetPort(host)
}

async function theirs(): Promise<number> {
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  server.on('connection', (ws, { url }) => {
    ws.on('message', (data, isBinary) => {
      if (url !== '/fan') ws.send(data, { binary: isBinary })
      else for (const client of server.clients) client.send(data, { binary: isBinary })
    })
  })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const answers: Record<string, () => number[] | Promise<number[]>> = {
  /** Microseconds used since the start. */
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return [user + system]
  },
  /** Resident, JavaScript heap, and outside of it, in bytes; needs --expose-gc. */
  memory: async () => {
    // Finalizers run between collections, and what they free is there for the next one.
    for (let i = 0; i < 5; i++) {
      await gc?.({ type: 'major', execution: 'async' })
      await sleep(50)
    }
    const { rss, heapUsed, external } = process.memoryUsage()
    return [rss, heapUsed, external]
  },
}

const tell = (answer: number[] | string): void => void process.send?.(answer)
const isServer = (name: string | undefined): name is Server => name !== undefined && Object.hasOwn(servers, name)
const name = process.argv[2]
if (isServer(name)) {
  process.on('disconnect', () => process.exit())
  process.on('message', (question) => void Promise.resolve(answers[String(question)]?.() ?? []).then(tell))
  servers[name]().then(
    (port) => tell([port]),
    (error: unknown) => tell(error instanceof Error ? error.message : String(error)),
  )
}
