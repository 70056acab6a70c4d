import type { OneBotPlatform } from '../../include-types/onebot.ts'
import type { Home } from '../chat/home.ts'
import type { OneBotBot, OneBotEndpoint } from '../web/config/onebot-settings.ts'
import type { Host } from '../web/host.ts'
import { rInfo } from '../websock/log.ts'
import { Account } from './account.ts'
import { type Dial, LinkEndpoint } from './transport/link.ts'
import { ServerEndpoint } from './transport/server.ts'
import { WebhookEndpoint } from './transport/webhook.ts'
import { Hub } from './world/hub.ts'

type AnyEndpoint = ServerEndpoint | LinkEndpoint | WebhookEndpoint

/** An endpoint for another bot is another one. */
const keyOf = ({ name, kind, bot }: OneBotEndpoint): string => `${name} ${kind} ${bot}`

interface Held {
  readonly endpoint: AnyEndpoint
  /** What serves it: a route, or two of one endpoint; after a reload another. */
  readonly holders: Set<object>
}

/** Makes the platform of a bot, in place of the world. */
export type PlatformFactory = (bot: OneBotBot) => OneBotPlatform | Promise<OneBotPlatform>

/** Milliseconds for the last events to be posted. */
const LAST_POSTS = 2000

/** The bots of a host, and the ways to them. */
export class OneBot {
  readonly #host: Host
  readonly #dial: Dial
  readonly #home: Home | null
  readonly #hub: Hub | null
  readonly #create: PlatformFactory | null
  readonly #accounts = new Map<string, Promise<Account>>()
  readonly #endpoints = new Map<string, Held>()
  /** Those that post their last events. */
  readonly #ending = new Set<Promise<void>>()

  /** @param platform the world, or what makes platforms in its place */
  constructor(host: Host, platform: Home | PlatformFactory, dial: Dial) {
    this.#host = host
    this.#dial = dial
    this.#create = typeof platform === 'function' ? platform : null
    this.#home = typeof platform === 'function' ? null : platform
    this.#hub = this.#home === null ? null : new Hub(this.#home.world)
  }

  async close(): Promise<void> {
    for (const { endpoint } of this.#endpoints.values()) this.#close(endpoint)
    this.#endpoints.clear()
    await Promise.all(this.#ending)
    for (const account of this.#accounts.values()) (await account).close()
    this.#hub?.close()
  }

  /** The endpoint of that name: made where there is none yet. */
  async open(settings: OneBotEndpoint): Promise<void> {
    if (this.#endpoints.has(keyOf(settings))) return
    const account = await this.#accountOf(settings.bot)
    if (this.#endpoints.has(keyOf(settings))) return
    this.#endpoints.set(keyOf(settings), {
      endpoint: this.#make(this.#withToken(settings), account),
      holders: new Set(),
    })
  }

  /** With the token that was made for it, where its config asks for that. It is told once. */
  #withToken<S extends OneBotEndpoint>(settings: S): S {
    if (settings.kind !== 'server' || settings.token !== null || !settings.generatesToken) return settings
    const { name } = settings
    if (this.#home === null) throw new Error(`${name}: generateToken needs the world: set token`)
    const { token, made } = this.#home.folder.tokenOf(name)
    if (made) this.#host.notes.push(`The token of ${name} is ${token}: said once, and kept in the data folder`)
    return { ...settings, token }
  }

  #make(settings: OneBotEndpoint, account: Account): AnyEndpoint {
    const { context } = this.#host
    if (context === null) throw new Error('The host does not run')
    const { clock } = context
    if (settings.kind === 'server') return new ServerEndpoint(settings, account, clock, () => this.#host.topics)
    if (settings.kind === 'link') return new LinkEndpoint(settings, account, clock, this.#dial)
    return new WebhookEndpoint(settings, account, clock)
  }

  server(settings: OneBotEndpoint): ServerEndpoint | null {
    const endpoint = this.#endpoints.get(keyOf(settings))?.endpoint
    return endpoint instanceof ServerEndpoint ? endpoint : null
  }

  /** From now on it is served for `holder`, by these settings. */
  begin(settings: OneBotEndpoint, holder: object): void {
    const held = this.#endpoints.get(keyOf(settings))
    if (held === undefined) return
    const { endpoint, holders } = held
    if (endpoint instanceof ServerEndpoint && settings.kind === 'server') endpoint.adopt(this.#withToken(settings))
    else if (endpoint instanceof LinkEndpoint && settings.kind === 'link') endpoint.adopt(settings)
    else if (endpoint instanceof WebhookEndpoint && settings.kind === 'webhook') endpoint.adopt(settings)
    if (holders.size === 0) endpoint.open()
    holders.add(holder)
  }

  /** Nobody is served for `holder` any more: when that was the last, the endpoint goes. */
  end(settings: OneBotEndpoint, holder: object): void {
    const key = keyOf(settings)
    const held = this.#endpoints.get(key)
    if (held?.holders.delete(holder) !== true || held.holders.size > 0) return
    this.#endpoints.delete(key)
    this.#close(held.endpoint)
  }

  #close(endpoint: AnyEndpoint): void {
    endpoint.close()
    if (!(endpoint instanceof WebhookEndpoint)) return
    const ended = endpoint.ended(LAST_POSTS).finally(() => this.#ending.delete(ended))
    this.#ending.add(ended)
  }

  #accountOf(handle: string): Promise<Account> {
    const known = this.#accounts.get(handle)
    if (known !== undefined) return known
    const made = this.#makeAccount(handle)
    this.#accounts.set(handle, made)
    // Who asks hears of it; there is nothing to close then.
    made.catch(() => this.#accounts.delete(handle))
    return made
  }

  async #makeAccount(handle: string): Promise<Account> {
    const { settings, context } = this.#host
    const bot = settings.onebot.bots.find((one) => one.handle === handle) ?? { handle, selfId: null, join: [] }
    if (context === null) throw new Error('The host does not run')
    const platform = await this.#platformOf(bot)
    const { id, nickname } = platform.self()
    rInfo('onebot', 'the bot %s is @%s, self_id %d', handle, nickname, id)
    return new Account(platform, context.clock)
  }

  #platformOf(bot: OneBotBot): OneBotPlatform | Promise<OneBotPlatform> {
    if (this.#create !== null) return this.#create(bot)
    if (this.#hub === null) throw new Error('There is a world, or what makes platforms')
    const { onebot } = this.#host.settings
    const base = (): string => onebot.publicUrl ?? this.#host.listening[0]?.url ?? ''
    return this.#hub.open(bot, { strictFriends: onebot.strictFriends, base })
  }
}
