import { afterEach } from 'vitest'
import { type ClientOptions, type RawData, WebSocket, WebSocketServer } from 'ws'
import type { Config, RouteConfig } from '../../include-types/web.ts'
import type { World } from '../../lib/chat/world.ts'
import { type Client, Gateway, type Person } from './gateway.ts'
import { patiently } from './patience.ts'
import type { EngineName } from './server.ts'

/*
 * Bots on loopback: a gateway beside them, on which people cause what bots are told of, and see what they do. The bot that all
 * endpoints are for is called robo, number 20001; ada owns the server Harbour, with the channel general.
 */

export const SELF = 20_001

const cleanups = new Set<() => void>()
afterEach(() => {
  for (const clean of cleanups) clean()
  cleanups.clear()
})

type Json = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const parse = (text: string): Json => {
  const value: unknown = JSON.parse(text)
  if (!isRecord(value)) throw new Error(`not an object: ${text}`)
  return value
}

/** What a client was told, or answered. */
export interface Response extends Json {
  readonly status: string
  readonly retcode: number
  readonly data: unknown
  readonly message: string
  readonly echo: unknown
}

const isResponse = (value: Json): value is Response => 'retcode' in value && !('post_type' in value)

/** A client of a bot: it keeps every frame that it gets, in order. */
export class BotClient {
  readonly ws: WebSocket
  /** As they came. */
  readonly texts: string[] = []
  readonly frames: Json[] = []
  #wake: (() => void)[] = []
  #ended: string | null = null
  #calls = 0
  /** How it ended; 1005: without a code. */
  readonly closed: Promise<number>

  constructor(ws: WebSocket) {
    this.ws = ws
    cleanups.add(() => ws.terminate())
    ws.on('message', (data: RawData) => {
      // oxlint-disable-next-line no-base-to-string
      const text = data.toString()
      this.texts.push(text)
      this.frames.push(parse(text))
      this.#tell()
    })
    this.closed = new Promise((resolve) => {
      ws.on('close', (code: number) => {
        this.#ended ??= `closed with ${code}`
        this.#tell()
        resolve(code)
      })
      ws.on('error', (error) => {
        this.#ended ??= error.message
        this.#tell()
      })
    })
  }

  #tell(): void {
    for (const fn of this.#wake.splice(0)) fn()
  }

  /** Resolves when it is open; rejects with why it is not. */
  async opened(): Promise<this> {
    if (this.ws.readyState === WebSocket.OPEN) return this
    await patiently(
      new Promise<void>((resolve, reject) => {
        this.ws.once('open', resolve)
        this.ws.once('error', reject)
      }),
      () => 'not opened',
    )
    return this
  }

  /** What is no string is sent as JSON. */
  send(message: unknown): void {
    this.ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
  }

  /** The first frame that fits, also one that has come already; from `from` on. */
  async find(fits: (frame: Json) => boolean, from = 0): Promise<Json> {
    for (let at = from; ;) {
      for (; at < this.frames.length; at++) {
        const frame = this.frames[at]
        if (frame !== undefined && fits(frame)) return frame
      }
      if (this.#ended !== null) throw new Error(`${this.#ended}: ${JSON.stringify(this.frames.slice(-3))}`)
      const more = new Promise<void>((resolve) => this.#wake.push(resolve))
      await patiently(more, () => `not told, but ${JSON.stringify(this.frames.slice(-3))}`)
    }
  }

  /** Asks for an action; its whole answer. */
  async call(action: string, params?: unknown): Promise<Response> {
    const echo = `call-${++this.#calls}`
    const from = this.frames.length
    this.send(params === undefined ? { action, echo } : { action, params, echo })
    const found = await this.find((frame) => frame['echo'] === echo, from)
    if (!isResponse(found)) throw new Error(`no answer: ${JSON.stringify(found)}`)
    return found
  }

  /** The same of one that is done: what it gives. */
  async get(action: string, params?: unknown): Promise<unknown> {
    const { retcode, data, message } = await this.call(action, params)
    if (retcode !== 0) throw new Error(`${action}: ${retcode} ${message}`)
    return data
  }

  /** Events so far, without meta events. */
  get events(): Json[] {
    return this.frames.filter((frame) => 'post_type' in frame && frame['post_type'] !== 'meta_event')
  }

  /** The first event that has these fields, also one that has come already. */
  event(fields: Json, from = 0): Promise<Json> {
    const wanted = Object.entries(fields)
    return this.find(
      (frame) => 'post_type' in frame && wanted.every(([key, value]) => Object.is(frame[key], value)),
      from,
    )
  }

  async close(): Promise<number> {
    this.ws.close()
    return this.closed
  }
}

export interface BotsOptions {
  readonly network?: NonNullable<Config['network']>
  readonly onebot?: NonNullable<Config['onebot']>
  /** Behind the gateway's route. */
  readonly routes?: readonly RouteConfig[]
  readonly web?: NonNullable<Config['web']>
  readonly folder?: string
}

/** A gateway with bots. */
export class Bots {
  readonly gateway: Gateway
  readonly ada: Person
  readonly server: string
  /** The id of the channel general, and its number: what bots call a group. */
  readonly channel: string
  readonly group: number

  private constructor(gateway: Gateway, ada: Person, server: string, channel: string) {
    this.gateway = gateway
    this.ada = ada
    this.server = server
    this.channel = channel
    this.group = gateway.world.channels.find(channel)?.num ?? 0
  }

  /** By default one route `/onebot/`, without a token. Robo is in the server. */
  static async start(engine: EngineName, options: BotsOptions = {}): Promise<Bots> {
    const { routes = [{ match: '/onebot/', handler: 'onebot' }], network, onebot, web, folder } = options
    const gateway = await Gateway.start(
      engine,
      {},
      folder,
      { routes: [{ match: '/ws', handler: 'gateway' }, ...routes], ...web },
      { onebot: { bot: 'robo', selfId: SELF, ...onebot }, ...(network === undefined ? {} : { network }) },
    )
    const ada = await gateway.person('ada')
    const { id, channel } = await gateway.server(ada)
    const bots = new Bots(gateway, ada, id, channel)
    await bots.bring('robo')
    return bots
  }

  get world(): World {
    return this.gateway.world
  }

  /** The id of the account of a bot of the config. */
  async userOf(handle: string): Promise<string> {
    const { bots, changes } = this.world
    return (await changes.run(() => bots.ensure(handle))).user_id
  }

  /** Makes a bot a member of ada's server. */
  async bring(handle: string): Promise<void> {
    const user = await this.userOf(handle)
    const { servers, access, changes } = this.world
    await changes.run(() => {
      if (!access.isMember(user, this.server)) servers.join(user, this.server)
    })
  }

  /** A role that a bot has, above all others but the owner's. */
  async empower(handle: string, permissions: number): Promise<void> {
    const { roles, changes } = this.world
    const user = await this.userOf(handle)
    await changes.run(() => {
      const draft = { name: 'power', permissions, color: null, position: null }
      const { id } = roles.create(this.ada.id, this.server, draft)
      roles.give(this.ada.id, this.server, user, id)
    })
  }

  numberOf(user: string): number {
    return this.world.users.find(user)?.num ?? 0
  }

  /** Where a listener is: the first is that of the gateway. */
  port(listener = 0): number {
    return this.gateway.host.listening[listener]?.port ?? 0
  }

  /** A client on its way. */
  open(path = '/onebot/', listener = 0, options: ClientOptions = {}): BotClient {
    return new BotClient(new WebSocket(`ws://127.0.0.1:${this.port(listener)}${path}`, options))
  }

  /** One that is told, and has had its first frame. */
  async connect(path = '/onebot/', listener = 0, options: ClientOptions = {}): Promise<BotClient> {
    const client = await this.open(path, listener, options).opened()
    await client.find((frame) => frame['meta_event_type'] === 'lifecycle')
    return client
  }

  /** One that only asks. */
  connectApi(path = '/onebot/api', listener = 0, options: ClientOptions = {}): Promise<BotClient> {
    return this.open(path, listener, options).opened()
  }

  /** Whatever has happened was told to these when this resolves. */
  async settle(...clients: readonly BotClient[]): Promise<void> {
    await this.world.changes.run(() => {})
    // Bots are told a turn later, so that a question that is asked now could be answered before that.
    await new Promise((resolve) => setImmediate(resolve))
    await Promise.all(clients.map((client) => client.call('get_status')))
  }

  /** What metrics say of bots, by names and labels: without `fiberws_bot_` in front. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const report = await this.gateway.host.report('/metrics')
    const rows = (report?.text ?? '').matchAll(/^fiberws_bot_(\S+) (\d+)$/gm)
    return new Map([...rows].map(([, name = '', value]) => [name, Number(value)]))
  }

  /** A person who is a member of ada's server, and sees what bots do. */
  async person(name: string): Promise<{ readonly who: Person; readonly client: Client }> {
    const who = await this.gateway.person(name)
    await this.world.changes.run(() => this.world.servers.join(who.id, this.server))
    return { who, client: await this.gateway.connect(who) }
  }
}

/** A server of a client, which bots connect to: each connection as it comes. */
export class BotServer {
  readonly server: WebSocketServer
  readonly clients: BotClient[] = []
  /** Headers of each handshake. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>[] = []
  #wake: (() => void)[] = []

  /** Also of one that is closed. */
  readonly port: number

  private constructor(server: WebSocketServer) {
    this.server = server
    const address = server.address()
    this.port = typeof address === 'object' && address !== null ? address.port : 0
    cleanups.add(() => {
      for (const client of server.clients) client.terminate()
      server.close()
    })
    server.on('connection', (ws, request) => {
      this.headers.push(request.headers)
      this.clients.push(new BotClient(ws))
      for (const fn of this.#wake.splice(0)) fn()
    })
  }

  static async start(port = 0): Promise<BotServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port })
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve)
      server.once('error', reject)
    })
    return new BotServer(server)
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  /** The n-th connection, from 0. */
  async client(n = 0): Promise<BotClient> {
    for (;;) {
      const client = this.clients[n]
      if (client !== undefined) return client
      const more = new Promise<void>((resolve) => this.#wake.push(resolve))
      await patiently(more, () => `there are ${this.clients.length} connections`)
    }
  }

  /** Takes no connections any more, and ends those there are. */
  async close(): Promise<void> {
    for (const client of this.server.clients) client.terminate()
    await new Promise<void>((resolve) => this.server.close(() => resolve()))
  }
}
