import type { Home } from '../chat/home.ts'
import type { Host } from '../web/host.ts'
import type { Target } from '../web/handler.ts'
import { Accounts } from './accounts.ts'
import { accountRoutes } from './api/accounts.ts'
import { Api } from './api/api.ts'
import { botRoutes } from './api/bots.ts'
import { NEEDS_UPGRADE, NOT_FOUND, UNAUTHORIZED } from './api/errors.ts'
import { directRoutes } from './api/directs.ts'
import { emojiRoutes } from './api/emojis.ts'
import { imageRoutes } from './api/images.ts'
import { fileRoutes } from './api/files.ts'
import { inviteRoutes } from './api/invites.ts'
import { iceRoutes } from './api/ice.ts'
import { messageRoutes } from './api/messages.ts'
import { pollRoutes } from './api/polls.ts'
import { reactionRoutes } from './api/reactions.ts'
import { requestRoutes } from './api/requests.ts'
import { ok, route, Router } from './api/router.ts'
import { moderationRoutes } from './api/moderation.ts'
import { overrideRoutes } from './api/overrides.ts'
import { roleRoutes } from './api/roles.ts'
import { serverRoutes } from './api/servers.ts'
import { userRoutes } from './api/users.ts'
import { voiceRoutes } from './api/voice.ts'
import { makeDemo } from './demo.ts'
import type { Passwords } from './passwords.ts'
import type { Wish } from './connection.ts'
import { Sockets } from './sockets.ts'
import { type Caller, Tokens } from './tokens.ts'

/** `resume=1` asks for a session; its id, with the number of what came last as `seq`, goes on with one. */
function toWish(params: URLSearchParams): Wish | null {
  const [given, seq] = [params.get('resume') ?? '', params.get('seq') ?? '']
  if (given === '1') return { session: null, seq: 0 }
  // What is no number is behind nothing that there is.
  return given === '' ? null : { session: given, seq: /^\d{1,15}$/.test(seq) ? Number(seq) : -1 }
}

/** The gateway of one host: its socket, and its HTTP API. */
export class Gateway {
  readonly #home: Home
  readonly #host: Host
  readonly #passwords: Passwords
  readonly #tokens: Tokens
  readonly #sockets: Sockets
  /** What serves the socket's path. */
  readonly socket: Target
  /** What serves the paths of the API. */
  readonly api: Target

  constructor(home: Home, host: Host, passwords: Passwords) {
    const { folder, world } = home
    if (host.context === null) throw new Error('The host does not run')
    const { pace } = host.context
    // Whoever has said something waits for it to be written.
    pace.giveWayTo(() => world.changes.waiting > 0)
    this.#home = home
    this.#passwords = passwords
    this.#host = host
    const { gateway: settings } = host.settings
    const keys = folder.keys(settings.jwtSecret, world.now(), settings.accessTtl)
    const tokens = new Tokens(world, keys, settings.accessTtl)
    const accounts = new Accounts(world, tokens, passwords, settings.refreshTtl)
    const router = new Router([
      ...accountRoutes(accounts, settings.register),
      ...userRoutes(world),
      ...botRoutes(world, accounts),
      ...serverRoutes(world),
      ...moderationRoutes(world),
      ...roleRoutes(world),
      ...overrideRoutes(world),
      ...messageRoutes(world),
      ...reactionRoutes(world),
      ...pollRoutes(world),
      ...directRoutes(world),
      ...voiceRoutes(world),
      ...requestRoutes(world),
      ...inviteRoutes(world),
      ...emojiRoutes(world),
      ...imageRoutes(world),
      ...fileRoutes(world, settings.maxFile),
      ...iceRoutes(settings, world.now),
      route('GET /health', 'public', () => ok({ status: 'ok' })),
    ])
    const api = new Api(router, tokens, world.files, settings)
    this.#tokens = tokens
    this.#sockets = new Sockets(world, tokens, settings, host, pace)
    this.api = { role: null, serve: (request) => api.serve(request) }
    this.socket = {
      role: null,
      admit: (request) => {
        // Another spelling of it may be a longer one for the engine.
        if (request.url.split('?', 1)[0] !== request.path) return NOT_FOUND
        const params = new URLSearchParams(request.query)
        const caller = this.#identify(params)
        // Nothing keeps what was in it.
        request.url = request.path
        return caller === null ? UNAUTHORIZED : this.#toTarget(caller, toWish(params))
      },
      serve: (request) => request.response?.give(NEEDS_UPGRADE),
    }
  }

  #toTarget(caller: Caller, wish: Wish | null): Target {
    return { role: null, ignoresProtocols: true, serve: (request) => this.#sockets.run(request, caller, wish) }
  }

  /** By the query: browsers cannot set a header. A token decides alone, also one that is not good. */
  #identify(params: URLSearchParams): Caller | null {
    const [tokens, botTokens] = [params.getAll('token'), params.getAll('bot_token')]
    if (tokens.length > 1 || botTokens.length > 1) return null
    const [[token], [botToken]] = [tokens, botTokens]
    if (token !== undefined) return this.#tokens.verify(token)
    return botToken === undefined ? null : this.#tokens.verifyBot(botToken)
  }

  /** Before the host listens. */
  async open(): Promise<void> {
    if (this.#host.settings.gateway.demo) await makeDemo(this.#home, this.#passwords, this.#host.notes)
  }

  close(): void {
    this.#sockets.close()
  }
}
