/**
 * A fiberws server in a process of its own: `server.ts CONFIG`, as JSON. It tells its port, then answers commands.
 *
 * '/stalled' is subscribed to 'all', '/healthy' to 'warm-up' too, '/slow' takes its time for each message, '/idle' does nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  rSetLogSink,
  webAddAction,
  webAllocHost,
  webGetError,
  webGetPort,
  type WebHost,
  type WebSocket,
  type WebSocketEvent,
  webSocketRun,
  webSocketSubscribe,
  webStartHost,
  webStopHost,
  WS_EVENT_CLOSE,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
} from '../../lib/index.ts'
import { answer, tell } from './answers.ts'
import { type Figures, isServerCommand, isServerConfig, type ServerCommand, type ServerConfig } from './messages.ts'
import { memory, Watch } from './server/memory.ts'
import { publish } from './server/publisher.ts'
import { type Session, Tally } from './server/tally.ts'

const TOPICS: Readonly<Record<string, readonly string[]>> = { '/stalled': ['all'], '/healthy': ['warm-up', 'all'] }

const tally = new Tally()
const watch = new Watch(() => tally.queued)

/** Warnings and errors, each once: a flood would fill the screen. */
function logOnce(): void {
  const seen = new Set<string>()
  rSetLogSink((level, source, message) => {
    if (level !== 'error' || seen.size > 100 || seen.has(message)) return
    seen.add(message)
    console.error(`${source} ${level} ${message}`)
  })
}

function toHost({ engine, limits, slow }: ServerConfig): WebHost {
  const host = webAllocHost({
    web: { engine, listen: 'http://127.0.0.1:0', limits: { ...limits }, routes: [{ match: '/', handler: 'action' }] },
  })
  const onEvent = (ws: WebSocket<Session>, event: WebSocketEvent, path: string, len: number): unknown => {
    if (event === WS_EVENT_OPEN) {
      tally.opened(ws, path)
      for (const topic of TOPICS[path] ?? []) webSocketSubscribe(ws, topic)
    }
    if (event === WS_EVENT_CLOSE) tally.closed(ws)
    if (event !== WS_EVENT_MESSAGE) return null
    tally.add(path, 'bytes', len)
    return path === '/slow' ? sleep(slow) : null
  }
  webAddAction<Session>(host, '/', ({ webSocket, path }) =>
    webSocketRun(webSocket, (ws, event, _buf, len) => onEvent(ws, event, path, len)),
  )
  return host
}

async function run(host: WebHost, command: ServerCommand): Promise<Figures> {
  switch (command.do) {
    case 'memory':
      return memory()
    case 'watch':
      watch.start()
      return {}
    case 'peak':
      watch.stop()
      return watch.figures
    case 'counters':
      return tally.figures
    case 'settled':
      await tally.settled()
      return tally.figures
    case 'publish':
      return publish(host, command)
    case 'stop':
  }
  watch.stop()
  await webStopHost(host)
  return tally.figures
}

async function main(): Promise<void> {
  const config: unknown = JSON.parse(process.argv[2] ?? '')
  if (!isServerConfig(config)) return tell('not the config of a server')
  logOnce()
  const host = toHost(config)
  if ((await webStartHost(host)) !== 0) return tell(webGetError(host) ?? 'cannot start')
  answer(
    isServerCommand,
    (command) => run(host, command),
    (command) => command.do === 'stop',
  )
  tell({ port: webGetPort(host) })
}

main().catch((error: unknown) => tell(error instanceof Error ? error.message : String(error)))
