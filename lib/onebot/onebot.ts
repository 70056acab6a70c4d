import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OneBotPlatform } from '../../include-types/onebot.ts'
import type { Home } from '../chat/home.ts'
import { identityOf } from '../web/config/onebot-identity.ts'
import type { OneBotBot, OneBotEndpoint, OneBotSettings } from '../web/config/onebot-settings.ts'
import type { Host } from '../web/host.ts'
import { rInfo } from '../websock/log.ts'
import { Account } from './account.ts'
import { createMeters } from './meters.ts'
import { toBlocks } from './media/addresses.ts'
import { systemResolve } from './media/fetch.ts'
import type { SourceOptions } from './media/source.ts'
import { type Dial, LinkEndpoint } from './transport/link.ts'
import { ServerEndpoint } from './transport/server.ts'
import { WebhookEndpoint } from './transport/webhook.ts'
import { Hub } from './world/hub.ts'

type AnyEndpoint = ServerEndpoint | LinkEndpoint | WebhookEndpoint

interface Held {
  readonly endpoint: AnyEndpoint
  /** What serves it: a route, or two of one endpoint; after a reload another. */
  readonly holders: Set<object>
}

/** A bot, as long as somebody uses it. */
interface Used {
  readonly account: Promise<Account>
  users: number
}

const toSources = ({ media: { allow, ...media }, speech }: OneBotSettings): SourceOptions => ({
  ...media,
  speech,
  allowed: toBlocks(allow),
  resolve: systemResolve,
})

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
  readonly #accounts = new Map<string, Used>()
  /** By what makes each what it is. */
  readonly #endpoints = new Map<string, Held>()
  readonly #meters = createMeters(() => [...this.#endpoints.values()].map(({ endpoint }) => endpoint))
  /** Those that post their last events. */
  readonly #ending = new Set<Promise<void>>()

  /** @param platform the world, or what makes platforms in its place */
  constructor(host: Host, platform: Home | PlatformFactory, dial: Dial) {
    this.#host = host
    this.#dial = dial
    this.#create = typeof platform === 'function' ? platform : null
    this.#home = typeof platform === 'function' ? null : platform
    this.#hub = this.#home === null ? null : new Hub(this.#home.world)
    for (const meter of this.#meters) host.meters.add(meter)
  }

  async close(): Promise<void> {
    for (const meter of this.#meters) this.#host.meters.delete(meter)
    for (const { endpoint } of this.#endpoints.values()) this.#close(endpoint)
    this.#endpoints.clear()
    await Promise.all(this.#ending)
    this.#hub?.close()
  }

  /** The endpoint of that name: made where there is none yet. */
  async open(settings: OneBotEndpoint): Promise<void> {
    const key = identityOf(settings)
    if (this.#endpoints.has(key)) return
    const account = await this.#use(settings.bot)
    if (this.#endpoints.has(key)) return this.#release(settings.bot)
    this.#endpoints.set(key, { endpoint: this.#make(this.#withToken(settings), account), holders: new Set() })
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

  /** @param key its `identityOf`: asked for with each request */
  server(key: string): ServerEndpoint | null {
    const endpoint = this.#endpoints.get(key)?.endpoint
    return endpoint instanceof ServerEndpoint ? endpoint : null
  }

  /** From now on it is served for `holder`, by these settings. */
  begin(settings: OneBotEndpoint, holder: object): void {
    const held = this.#endpoints.get(identityOf(settings))
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
    const key = identityOf(settings)
    const held = this.#endpoints.get(key)
    if (held?.holders.delete(holder) !== true || held.holders.size > 0) return
    this.#endpoints.delete(key)
    this.#close(held.endpoint)
  }

  #close(endpoint: AnyEndpoint): void {
    endpoint.account.flush()
    endpoint.close()
    const ended = this.#finish(endpoint).finally(() => this.#ending.delete(ended))
    this.#ending.add(ended)
  }

  async #finish(endpoint: AnyEndpoint): Promise<void> {
    if (endpoint instanceof WebhookEndpoint) await endpoint.ended(LAST_POSTS)
    await this.#release(endpoint.settings.bot)
  }

  #use(handle: string): Promise<Account> {
    const used = this.#accounts.get(handle) ?? { account: this.#makeAccount(handle), users: 0 }
    this.#accounts.set(handle, used)
    used.users++
    // Who asks hears of it; there is nothing to close then.
    used.account.catch(() => this.#accounts.delete(handle))
    return used.account
  }

  /** A bot to which there is no way any more goes, too. */
  async #release(handle: string): Promise<void> {
    const used = this.#accounts.get(handle)
    if (used === undefined || --used.users > 0) return
    this.#accounts.delete(handle)
    ;(await used.account).close()
  }

  async #makeAccount(handle: string): Promise<Account> {
    const { settings, context } = this.#host
    const bot = settings.onebot.bots.find((one) => one.handle === handle) ?? { handle, selfId: null, join: [] }
    if (context === null) throw new Error('The host does not run')
    const platform = await this.#platformOf(bot)
    const account = new Account(platform, context.clock, {
      media: toSources(settings.onebot),
      folder: this.#spoolFolder(),
      inlines: settings.onebot.inlinesFiles,
      extras: settings.onebot.extras,
    })
    rInfo('onebot', 'the bot %s is self_id %d', handle, account.id)
    return account
  }

  /** What is kept for a while only, beside the world, where there is one. */
  #spoolFolder(): string {
    if (this.#home !== null) return join(this.#host.settings.data.folder, 'onebot')
    return join(tmpdir(), `fiberws-onebot-${randomBytes(8).toString('hex')}`)
  }

  #platformOf(bot: OneBotBot): OneBotPlatform | Promise<OneBotPlatform> {
    if (this.#create !== null) return this.#create(bot)
    if (this.#hub === null) throw new Error('There is a world, or what makes platforms')
    const { onebot } = this.#host.settings
    const base = (): string => onebot.publicUrl ?? this.#host.listening[0]?.url ?? ''
    return this.#hub.open(bot, { strictFriends: onebot.strictFriends, base, quota: onebot.media.quota })
  }
}
