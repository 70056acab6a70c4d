import { isDeepStrictEqual } from 'node:util'
import type { Agent } from '../../include-types/agent.ts'
import type { Home } from '../chat/home.ts'
import { checkFolder } from '../chat/store/folder.ts'
import type { Answer } from '../web/answer.ts'
import type { AgentSettings, ChannelSettings } from '../web/config/channel-settings.ts'
import type { RouteSettings } from '../web/config/settings.ts'
import type { Handler, HandlerFactory, Target } from '../web/handler.ts'
import type { Host } from '../web/host.ts'
import { PerHost } from '../web/per-host.ts'
import { createAgent } from './agents/create.ts'
import { Channel } from './channel.ts'
import { FORBIDDEN, NEEDS_UPGRADE, NOT_FOUND, UNAUTHORIZED } from './door.ts'
import { issue } from './issue.ts'

/** Whatever is asked, this protocol has an answer of its own. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

const WORDS: ReadonlyMap<number, Answer> = new Map([
  [401, UNAUTHORIZED],
  [403, FORBIDDEN],
  [404, NOT_FOUND],
  // What is wrong with a handshake, the client is told in one way.
  [400, NEEDS_UPGRADE],
  [405, NEEDS_UPGRADE],
  [426, NEEDS_UPGRADE],
])
const toError = (given: Answer): Answer => WORDS.get(given.status) ?? given

/** The worlds of hosts: asked for where an agent is a member. */
type Homes = () => Promise<PerHost<Home>>
/** Makes what answers. */
export type AgentFactory = (settings: AgentSettings) => Agent | Promise<Agent>

/** The channels of a host, by their names: a channel may have more than one door. */
class Channels {
  readonly #agents = new Map<string, Agent>()
  readonly #channels = new Map<string, Channel>()

  /** Before the host runs: what is wrong with an agent keeps it from starting. */
  async prepare({ name, agent }: ChannelSettings, create: AgentFactory): Promise<void> {
    if (!this.#agents.has(name)) this.#agents.set(name, await create(agent))
  }

  async open(settings: ChannelSettings, host: Host, homes: Homes): Promise<void> {
    const agent = this.#agents.get(settings.name)
    if (agent === undefined || this.#channels.has(settings.name)) return
    await agent.start?.()
    const home = settings.join === null ? null : (await homes()).of(host)
    const channel = new Channel(settings, agent, host, home?.world ?? null)
    this.#channels.set(settings.name, channel)
    // Behind the world, so that it goes before it.
    host.ends.add(() => channel.close())
    await channel.open()
  }

  /** After a reload; at a start there is none yet. */
  adopt(settings: ChannelSettings, host: Host): void {
    const channel = this.#channels.get(settings.name)
    if (channel === undefined) return
    const { name, agent, join } = channel.settings
    const warning = `${name}.agent counts after a restart`
    const same = isDeepStrictEqual([agent, join], [settings.agent, settings.join])
    if (!same && !host.warnings.includes(warning)) host.warnings.push(warning)
    channel.adopt({ ...settings, agent, join })
  }

  get(name: string): Channel {
    const channel = this.#channels.get(name)
    if (channel === undefined) throw new Error('The channel is not open')
    return channel
  }
}

/** nanobot's WebSocket channel behind a route: its socket, where it gives tokens, or what is neither. */
export function createAgentHandler(homes: Homes, create: AgentFactory = createAgent): HandlerFactory {
  const channels = new PerHost(
    () => new Channels(),
    () => {},
  )
  return async ({ channel: door }: RouteSettings, host): Promise<Handler> => {
    if (door === null) throw new Error('The route has no channel')
    const { part, settings } = door
    if (settings.join !== null) checkFolder(host.settings.data.folder)
    const own = channels.of(host)
    await own.prepare(settings, create)
    const others: Record<Exclude<typeof part, 'socket'>, Target> = {
      tokens: {
        role: null,
        serve: (request) => request.response?.give(issue(request, settings, own.get(settings.name).tokens)),
      },
      nothing: { role: null, serve: (request) => request.response?.give(NOT_FOUND) },
    }
    return {
      methods: METHODS,
      upgrades: part === 'socket',
      answersOptions: true,
      ...(part === 'socket' ? { toError } : {}),
      open: () => own.open(settings, host, homes),
      begin: () => own.adopt(settings, host),
      find: () => (part === 'socket' ? own.get(settings.name).socket : others[part]),
    }
  }
}
