import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import { WebSocket } from 'ws'
import type { Config, GatewayConfig } from '../../include-types/web.ts'
import { Home } from '../../lib/chat/home.ts'
import { createFilesHandler } from '../../lib/files/handler.ts'
import { createGatewayHandler } from '../../lib/gateway/handler.ts'
import { Passwords } from '../../lib/gateway/passwords.ts'
import { hashToken, makeBotToken, Tokens } from '../../lib/gateway/tokens.ts'
import { createOneBotHandler } from '../../lib/onebot/handler.ts'
import { dial } from '../../lib/onebots.ts'
import { parts } from '../../lib/parts.ts'
import type { World } from '../../lib/chat/world.ts'
import { PerHost } from '../../lib/web/per-host.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { ask } from './http.ts'
import { patiently } from './patience.ts'
import { handshake, RawClient } from './raw.ts'
import type { EngineName } from './server.ts'

/*
 * A gateway on loopback, and clients of it. Each client keeps every frame that it gets: a test says of all of them what they
 * got, also of those that must get nothing.
 */

const started = new Set<Gateway>()
const folders = new Set<string>()
afterEach(async () => {
  await Promise.all(Array.from(started, (gateway) => gateway.free()))
  started.clear()
  for (const folder of folders) rmSync(folder, { recursive: true })
  folders.clear()
})

/** A frame of the server. */
export interface Frame {
  readonly op: string
  readonly t?: string
  readonly s?: number
  readonly d?: unknown
}

const isFrame = (value: unknown): value is Frame =>
  typeof value === 'object' && value !== null && 'op' in value && typeof value.op === 'string'

const toFrame = (text: string): Frame => {
  const value: unknown = JSON.parse(text)
  if (!isFrame(value)) throw new Error(`not a frame: ${text}`)
  return value
}

/** Somebody with an account. */
export interface Person {
  readonly id: string
  readonly username: string
  readonly token: string
  readonly session: string
}

export interface BotAccount {
  readonly id: string
  readonly userId: string
  readonly token: string
}

/** An answer of the API. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Null without one. */
  readonly body: unknown
}

export class Gateway {
  readonly host: Host
  readonly port: number
  readonly folder: string
  readonly #home: Home
  readonly #clients = new Set<Client>()
  readonly tokens: Tokens

  private constructor(host: Host, home: Home, folder: string) {
    this.host = host
    this.#home = home
    this.folder = folder
    this.port = host.listening[0]?.port ?? 0
    const { accessTtl, jwtSecret } = host.settings.gateway
    this.tokens = new Tokens(home.world, home.folder.keys(jwtSecret, Date.now(), accessTtl), accessTtl)
  }

  /** In a folder of its own, unless one is named; freed after the test. */
  static async start(
    engine: EngineName,
    settings: GatewayConfig = {},
    folder = temporary(),
    web: Config['web'] = {},
    more: {
      readonly channels?: NonNullable<Config['channels']>
      readonly network?: NonNullable<Config['network']>
      readonly onebot?: NonNullable<Config['onebot']>
      readonly handlers?: (homes: PerHost<Home>) => Partial<typeof parts.handlers>
    } = {},
  ): Promise<Gateway> {
    const { handlers, ...sections } = more
    const homes = new PerHost(
      ({ settings: { data } }) => new Home(data.folder, data.full, (what, error) => console.error(what, error)),
      (home) => home.close(),
    )
    const host = createHost(
      {
        dataDir: folder,
        gateway: { rateLimits: 'off', ...settings },
        web: { engine, listen: 'http://127.0.0.1:0', routes: [{ match: '/ws', handler: 'gateway' }], ...web },
        ...sections,
      },
      {
        ...parts,
        handlers: {
          ...parts.handlers,
          gateway: createGatewayHandler(homes, new Passwords({ N: 1024, r: 8, p: 1 })),
          files: createFilesHandler(homes),
          onebot: createOneBotHandler(homes, dial),
          ...handlers?.(homes),
        },
      },
    )
    if ((await host.start()) !== 0) throw new Error(host.error ?? 'no start')
    const gateway = new Gateway(host, homes.of(host), folder)
    started.add(gateway)
    return gateway
  }

  get world(): World {
    return this.#home.world
  }

  /** It outlives the test that it was started in: whoever keeps it frees it. */
  keep(): this {
    started.delete(this)
    return this
  }

  async free(): Promise<void> {
    for (const client of this.#clients) client.cut()
    await this.host.free()
  }

  // Accounts, without the time that passwords take

  async person(username: string, email: string | null = null): Promise<Person> {
    const { world } = this
    const user = await world.changes.run(() => world.users.create({ username, email, passwordHash: null, bot: false }))
    return this.login(user.id)
  }

  /** Another session of somebody. */
  async login(id: string): Promise<Person> {
    const { world } = this
    const user = world.users.find(id)
    if (user === null) throw new Error('nobody')
    const session = await world.changes.run(() => world.sessions.begin(id, hashToken(`rt_${Math.random()}`), 3_600_000))
    return { id, username: user.username, session, token: this.tokens.forSession(user, session) }
  }

  async bot(creator: Person, name: string): Promise<BotAccount> {
    const { world } = this
    const token = makeBotToken()
    const bot = await world.changes.run(() => world.bots.create(creator.id, name, null, hashToken(token)))
    return { id: bot.id, userId: bot.user_id, token }
  }

  /** A public server with these members, the first its owner, and one text channel. */
  async server(...[owner, ...others]: readonly Person[]): Promise<{ readonly id: string; readonly channel: string }> {
    const { world } = this
    if (owner === undefined) throw new Error('a server has an owner')
    const draft = { name: 'Harbour', icon_url: null, is_public: 1, require_invite: 0 } as const
    const server = await world.changes.run(() => world.servers.create(owner.id, draft))
    for (const { id } of others) await world.changes.run(() => world.servers.join(id, server.id))
    return { id: server.id, channel: await this.channel(owner, server.id) }
  }

  async channel(owner: Person, server: string, name = 'general'): Promise<string> {
    const { world } = this
    const draft = { name, type: 'text', topic: null, category: null } as const
    return (await world.changes.run(() => world.channels.create(owner.id, server, draft))).id
  }

  /** What a channel gives and takes; both ids null: for everyone. */
  async override(
    by: Person,
    channel: string,
    target: { readonly roleId?: string; readonly userId?: string },
    allow: number,
    deny: number,
  ): Promise<string> {
    const { roleId = null, userId = null } = target
    const { world } = this
    return (await world.changes.run(() => world.overrides.set(by.id, channel, { roleId, userId }, allow, deny))).id
  }

  // HTTP

  /** One request. `as`: whose token it has; text and bytes are sent as they are, anything else as JSON. */
  async request(
    method: string,
    path: string,
    as: { readonly token: string } | string | null = null,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const authorization = typeof as === 'string' ? as : as === null ? null : `Bearer ${as.token}`
    const reply = await ask(this.port, path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(authorization === null ? {} : { Authorization: authorization }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    })
    const text = reply.body.toString()
    const parsed: unknown = text === '' || (!text.startsWith('{') && !text.startsWith('[')) ? null : JSON.parse(text)
    return { status: reply.status, headers: reply.headers, text, body: parsed }
  }

  /** A message in a channel over HTTP; its id. */
  async post(as: Person, channel: string, content: string): Promise<string> {
    const { status, body, text } = await this.request('POST', `/channels/${channel}/messages`, as, { content })
    if (status !== 201) throw new Error(`${status} ${text}`)
    return idOf(body)
  }

  // The socket

  /** A client that has had its READY. */
  async connect(as: { readonly token: string } | string): Promise<Client> {
    const client = this.open(typeof as === 'string' ? as : `token=${as.token}`)
    await client.next('READY')
    return client
  }

  /** A client on its way. */
  open(query: string): Client {
    const client = new Client(new WebSocket(`ws://127.0.0.1:${this.port}/ws?${query}`))
    this.#clients.add(client)
    return client
  }

  /** What each of some clients has got since the last time, when everything that was sent to them has come. */
  async got(...clients: readonly Client[]): Promise<string[][]> {
    return Promise.all(clients.map((client) => client.settle()))
  }
}

export const temporary = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-gateway-'))
  folders.add(folder)
  return folder
}

export function idOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('id' in body)) throw new Error(`no id: ${JSON.stringify(body)}`)
  return String(body.id)
}

/** A field of what came, whatever it is. */
export const field = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value)

export class Client {
  readonly ws: WebSocket
  /** All that came, in order. */
  readonly frames: Frame[] = []
  /** What was looked at by `next`, or told by `settle`. */
  #seen = 0
  #wake: (() => void)[] = []
  /** Code and reason of the end. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  #ended: string | null = null
  pings = 0

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data: Buffer) => {
      this.frames.push(toFrame(data.toString()))
      this.#tell()
    })
    ws.on('ping', () => this.pings++)
    this.closed = new Promise((resolve) => {
      const end = (code: number, reason: string): void => {
        this.#ended ??= `${code} ${reason}`
        this.#tell()
        resolve({ code, reason })
      }
      ws.on('close', (code: number, reason: Buffer) => end(code, reason.toString()))
      ws.on('error', (error) => end(0, error.message))
    })
  }

  #tell(): void {
    const wake = this.#wake
    this.#wake = []
    for (const fn of wake) fn()
  }

  send(message: unknown): void {
    this.ws.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
  }

  /** Waits for the next frame of a type, or op; those before it are passed over. */
  async next(name: string): Promise<unknown> {
    for (;;) {
      while (this.#seen < this.frames.length) {
        const frame = this.frames[this.#seen++]
        if (frame !== undefined && (frame.t ?? frame.op) === name) return frame.d
      }
      if (this.#ended !== null) throw new Error(`ended without ${name}: ${this.#ended}`)
      const more = new Promise<void>((resolve) => this.#wake.push(resolve))
      await patiently(more, () => `no ${name}, but ${JSON.stringify(this.frames.slice(-3))}`)
    }
  }

  /** Names of what has come since the last look, up to now: whatever was sent before comes before the answer to this. */
  async settle(): Promise<string[]> {
    const from = this.#seen
    this.send({ op: 'HEARTBEAT' })
    await this.next('HEARTBEAT_ACK')
    return this.frames.slice(from, this.#seen - 1).map(({ t, op }) => t ?? op)
  }

  /** Ends TCP. */
  cut(): void {
    this.ws.on('error', () => {})
    this.ws.terminate()
  }

  async close(code = 1000): Promise<void> {
    this.ws.close(code)
    await this.closed
  }
}

/** What a request was answered with. */
export const expectError = (reply: Reply, status: number, code: string): void => {
  expect([reply.status, field(reply.body, 'code')]).toEqual([status, code])
}

/** Data of all events of a type that a client has got. */
export const dataOf = (client: Client, type: string): unknown[] =>
  client.frames.filter(({ t }) => t === type).map(({ d }) => d)

/** What a client was told first. */
export const readyOf = (client: Client): unknown => {
  expect([client.frames[0]?.op, client.frames[0]?.t]).toEqual(['DISPATCH', 'READY'])
  return client.frames[0]?.d
}

/** Names of the fields of an object, in order. */
export const keysOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null ? Object.keys(value) : []

/** What a server says of each of its members. */
export const MEMBER_KEYS = [
  'user_id',
  'username',
  'avatar_url',
  'status',
  'custom_status',
  'activity',
  'nickname',
  'joined_at',
  'timeout_expires_at',
  'roles',
]

/** A list of what came; empty for what is no list. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** Everything that a client has sent has been looked at when this resolves: answers to pings keep the order. */
export async function pinged({ ws }: Client): Promise<void> {
  const pong = new Promise<void>((resolve) => ws.once('pong', () => resolve()))
  ws.ping()
  await patiently(pong, () => 'no pong')
}

/** Has the first client say something. What each has got when that has had its effect. */
export async function say(gateway: Gateway, messages: readonly unknown[], ...clients: readonly Client[]) {
  const [speaker] = clients
  for (const message of messages) speaker?.send(message)
  const early = (await speaker?.settle()) ?? []
  // What it changes is written later in the turn.
  await gateway.world.changes.run(() => {})
  const [late = [], ...others] = await gateway.got(...clients)
  return [[...early, ...late], ...others]
}

/** Waits until the gateway has so many connections. */
export const counts = async (gateway: Gateway, connections: number): Promise<void> => {
  await expect.poll(() => gateway.host.connections, { timeout: 15_000, interval: 5 }).toBe(connections)
}

/** What an attempt to connect is answered with; bytes but for the time of day. */
export async function knock(
  { port }: Gateway,
  query: string,
  headers: Record<string, string | null> = {},
): Promise<{ readonly status: number; readonly head: string; readonly body: string }> {
  const client = await RawClient.connect(port)
  client.send(handshake(`/ws?${query}`, headers))
  const { status, head } = await client.response()
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  if (status !== 101) await client.until(() => client.length >= length)
  const body = status === 101 ? '' : client.received.toString()
  client.destroy()
  return { status, head: head.replace(/^date:.*$/im, ''), body }
}

/** Texts in their order; anything else as text. */
export const sorted = (list: readonly unknown[]): string[] => list.map(String).toSorted()
