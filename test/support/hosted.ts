import { afterEach } from 'vitest'
import type { Config, WebAction } from '../../include-types/web.ts'
import { parts } from '../../lib/parts.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { WS_EVENT_CLOSE, WS_EVENT_MESSAGE } from '../../lib/websock/constants.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import type { Socket } from '../../lib/websock/socket.ts'
import { closeBody, frame, text } from './frames.ts'
import { RawClient } from './raw.ts'
import type { EngineName } from './server.ts'

type WebConfig = NonNullable<Config['web']>

const hosts = new Set<Host>()
afterEach(async () => {
  await Promise.all(Array.from(hosts, (host) => host.free()))
  hosts.clear()
})

/** A host that can be given another config. */
export class Hosted {
  readonly host: Host
  readonly #engine: EngineName
  /** Paths of connections whose callback has heard CLOSE. */
  readonly closed: string[] = []

  private constructor(engine: EngineName, web: WebConfig, prepare: (host: Host) => void, tls?: Config['tls']) {
    this.#engine = engine
    this.host = createHost(this.settings(web, tls), parts)
    prepare(this.host)
    // The first that matches is called.
    this.host.addAction('/', this.echo)
    hosts.add(this.host)
  }

  /** Started; freed after the test. */
  static async start(
    engine: EngineName,
    web: WebConfig,
    prepare: (host: Host) => void = () => {},
    tls?: Config['tls'],
  ): Promise<Hosted> {
    const hosted = new Hosted(engine, web, prepare, tls)
    if ((await hosted.host.start()) !== 0) throw new Error(hosted.host.error ?? 'no start')
    return hosted
  }

  /** Sends back what it is sent, and notes its end. */
  readonly echo: WebAction = (web) => {
    const { path } = web
    return webSocketRun(web.webSocket, (ws, event, buf) => {
      if (event === WS_EVENT_MESSAGE) webSocketSendString(ws, String(buf))
      if (event === WS_EVENT_CLOSE) this.closed.push(path)
    })
  }

  /** A config on this engine, on one port that stays. */
  settings(web: WebConfig, tls?: Config['tls']): ReturnType<typeof checkConfig> {
    const timeouts = { inactivity: 'never', drain: 0.2, ...web.timeouts }
    const routes = [{ match: '/', handler: 'action' }]
    const config = { web: { engine: this.#engine, listen: '127.0.0.1:0', routes, ...web, timeouts } }
    return checkConfig(tls === undefined ? config : { ...config, tls }, '/')
  }

  reload(web: WebConfig): Promise<number> {
    return this.host.reload(this.settings(web))
  }

  get port(): number {
    return this.host.listening[0]?.port ?? 0
  }

  /** A client, and the server's end of its connection. */
  async open(path: string): Promise<{ client: RawClient; ws: Socket }> {
    const before = new Set(this.host.sockets)
    const client = await RawClient.open(this.port, path)
    const [ws] = [...this.host.sockets].filter((socket) => !before.has(socket))
    if (ws === undefined) throw new Error('no connection')
    return { client, ws }
  }
}

/** What comes back from an echo. */
export async function ask(client: RawClient, words: string): Promise<string> {
  client.send(text(words))
  const { opcode, payload } = await client.frame()
  return opcode === 8 ? `Close ${payload.readUInt16BE()}` : payload.toString()
}

/** Waits for the server's Close, answers it, and gives its status. */
export async function dismissed(client: RawClient): Promise<number> {
  const { opcode, payload } = await client.frame()
  if (opcode !== 8) throw new Error(`not a Close, but ${opcode}: ${payload.toString()}`)
  client.send(frame({ opcode: 8, payload: closeBody(payload.readUInt16BE()) }))
  client.socket.end()
  return payload.readUInt16BE()
}

/** Why nobody can connect there; 'open' where somebody can. */
export const knock = (port: number): Promise<string> =>
  RawClient.connect(port).then(
    (client) => {
      client.destroy()
      return 'open'
    },
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  )
