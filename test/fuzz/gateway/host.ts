import { createSigner } from 'fast-jwt'
import type { GatewayConfig } from '../../../include-types/web.ts'
import { Home } from '../../../lib/chat/home.ts'
import type { World } from '../../../lib/chat/world.ts'
import type { EngineName } from '../../../lib/engine/port.ts'
import { createGatewayHandler } from '../../../lib/gateway/handler.ts'
import { hashToken, Tokens } from '../../../lib/gateway/tokens.ts'
import { rSetLogSink } from '../../../lib/index.ts'
import { parts } from '../../../lib/parts.ts'
import { createHost, type Host } from '../../../lib/web/host.ts'
import { PerHost } from '../../../lib/web/per-host.ts'
import { must, Problem } from '../target.ts'
import { addServer, addUser, change, IMAGE, makeFolder, type TemporaryFolder } from './house.ts'

const DAY = 86_400_000

/** A gateway on loopback, without any limit, whose world is at hand. What it logs as an error is a problem. */
export class LiveGateway {
  readonly engine: EngineName
  readonly host: Host
  readonly port: number
  readonly world: World
  readonly tokens: Tokens
  readonly folder: TemporaryFolder
  readonly #sign: (claims: Record<string, unknown>) => string
  #problem: unknown = null

  private constructor(engine: EngineName, host: Host, home: Home, folder: TemporaryFolder) {
    this.engine = engine
    this.host = host
    this.port = host.listening[0]?.port ?? 0
    this.world = home.world
    this.folder = folder
    const { accessTtl, jwtSecret } = host.settings.gateway
    const keys = home.folder.keys(jwtSecret, Date.now(), accessTtl)
    this.tokens = new Tokens(home.world, keys, accessTtl)
    const [key] = keys
    must(key !== undefined, 'there is no key')
    this.#sign = createSigner({ algorithm: 'HS256', key: key.secret, kid: key.kid })
    rSetLogSink((level, source, message) => {
      if (level === 'error') this.fail(new Problem(`logged by ${source}: ${message}`))
    })
  }

  static async start(engine: EngineName, settings: GatewayConfig = {}): Promise<LiveGateway> {
    const folder = makeFolder()
    let gateway: LiveGateway | null = null
    const homes = new PerHost(
      ({ settings: { data } }) =>
        new Home(data.folder, data.full, (what, error) => gateway?.fail(new Problem(`${what}: ${String(error)}`))),
      (home) => home.close(),
    )
    const host = createHost(
      {
        dataDir: folder.path,
        synchronous: 'normal',
        gateway: { rateLimits: 'off', wsRate: 0, accessTtlS: DAY / 1000, ...settings },
        web: {
          engine,
          listen: 'http://127.0.0.1:0',
          timeouts: { drain: 0.1 },
          routes: [{ match: '/ws', handler: 'gateway' }],
        },
      },
      { ...parts, handlers: { ...parts.handlers, gateway: createGatewayHandler(homes) } },
    )
    must((await host.start()) === 0, () => host.error ?? 'no start')
    gateway = new LiveGateway(engine, host, homes.of(host), folder)
    const { world } = gateway
    const painter = addUser(world, 'painter')
    const studio = addServer(world, painter, false)
    await world.files.keep(IMAGE, (content) => world.emojis.create(painter, studio, 'first', content))
    return gateway
  }

  fail(problem: unknown): void {
    this.#problem ??= problem
  }

  /** Throws what went wrong meanwhile. */
  check(): void {
    if (this.#problem !== null) throw this.#problem
  }

  /** A session of somebody, with tokens of it. */
  login(userId: string): { readonly session: string; readonly access: string; readonly refresh: string } {
    const { world } = this
    const user = world.users.find(userId)
    must(user !== null, 'nobody to log in')
    const refresh = `rt_${userId}${Math.random()}`
    const session = change(world, () => world.sessions.begin(userId, hashToken(refresh), DAY))
    return { session, access: this.tokens.forSession(user, session), refresh }
  }

  /** An access token that was good until just now. */
  expiredToken(userId: string, session: string): string {
    const exp = Math.floor(Date.now() / 1000) - 1
    return this.#sign({ sub: userId, token_type: 'access', sid: session, iat: exp - 900, exp, jti: session })
  }

  async stop(): Promise<void> {
    await this.host.free()
    rSetLogSink(null)
    this.folder.remove()
  }
}
