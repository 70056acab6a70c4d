import { LRUCache } from 'lru-cache'
import type { Link } from '../chat/presence.ts'
import type { WorldEvent } from '../chat/events.ts'
import type { Message } from '../chat/store/messages.ts'
import type { User } from '../chat/users.ts'
import type { World } from '../chat/world.ts'
import type { JoinSettings } from '../web/config/channel-settings.ts'
import { rError, rInfo } from '../websock/log.ts'
import { errorText } from '../websock/run.ts'
import { type Company, Conversation } from './conversation.ts'
import { Draft } from './draft.ts'

/** People whose conversations with the agent are remembered. */
const MOST_PEOPLE = 1000

/** The agent as a member of the world: it answers who calls it by name, each in a conversation of their own. */
export class Member {
  readonly #world: World
  readonly #company: Company
  readonly #settings: JoinSettings
  readonly #conversations = new LRUCache<string, Conversation>({
    max: MOST_PEOPLE,
    dispose: (conversation) => conversation.close(),
  })
  readonly #unlisten: () => void
  #user: Pick<User, 'id' | 'username'> | null = null
  #channel: string | null = null
  #link: Link | null = null
  #joining = false

  constructor(world: World, company: Company, settings: JoinSettings) {
    this.#world = world
    this.#company = company
    this.#settings = settings
    this.#unlisten = world.events.on((event) => this.#hear(event))
  }

  /** Looks for its place; where that is not there yet, it is looked for again when a channel is made. */
  async join(): Promise<void> {
    const { server, channel, name } = this.#settings
    if (this.#joining || this.#channel !== null) return
    const place = this.#world.channels.named(server, channel)
    if (place === null) return rError('agent', "join: there is no '%s/%s' yet", server, channel)
    this.#joining = true
    try {
      const { user, place: found } = await this.#world.changes.run(() => this.#enter(place))
      this.#user = user
      this.#channel = found
      this.#link = this.#world.presence.attach(user.id)
      this.#world.presence.refresh(user.id)
      rInfo('agent', '@%s is in %s/%s', user.username, server, channel)
    } catch (error) {
      rError('agent', 'join: %s cannot join %s/%s: %s', name, server, channel, errorText(error))
    }
    this.#joining = false
  }

  #enter({ id, server_id }: { readonly id: string; readonly server_id: string }) {
    const { bots, users, servers, access } = this.#world
    const { user_id } = bots.ensure(this.#settings.name)
    const user = users.find(user_id)
    if (user === null) throw new Error('The bot is nobody')
    if (!access.isMember(user.id, server_id)) {
      servers.checkMayEnter(user.id, server_id)
      servers.admit(user.id, server_id)
    }
    return { user, place: id }
  }

  close(): void {
    this.#unlisten()
    this.#conversations.clear()
    this.#link?.detach()
    this.#link = null
  }

  #hear(event: WorldEvent): void {
    if (event.type === 'message.created') this.#read(event.message)
    else if (event.type === 'channel.created' && this.#channel === null) void this.join()
  }

  #read(message: Message): void {
    const user = this.#user
    if (user === null || message.channel_id !== this.#channel || message.draft === 1) return
    const { author_id: author } = message
    if (author === null || author === user.id || !message.mention_user_ids.includes(user.id)) return
    const asks = this.#world.users.find(author)
    if (asks === null || (asks.is_bot === 1 && !this.#settings.answerBots)) return
    const text = withoutName(message.content, user.username)
    if (text !== '') this.#answer(asks, text, message, user.id)
  }

  #answer(asks: User, text: string, question: Message, userId: string): void {
    const { clock } = this.#company
    const { editEvery } = this.#settings
    const draft = (): Draft => new Draft({ world: this.#world, clock, userId, question, editEvery })
    const taken = this.#with(asks, question.channel_id).push({ text, toSink: draft })
    if (!taken) draft().fail('queue_full')
  }

  #with({ id, username }: User, channel: string): Conversation {
    const known = this.#conversations.get(id)
    if (known !== undefined) return known
    const key = `world:${channel}:${id}`
    const made = new Conversation(this.#company, { key, chatId: channel, clientId: username, remote: '' })
    this.#conversations.set(id, made)
    return made
  }
}

/** What is said to somebody, without their name. */
function withoutName(content: string, name: string): string {
  const called = `@${name}`.toLowerCase()
  return content
    .split(/(\s+)/u)
    .filter((word) => word.toLowerCase().replace(/[^\p{L}\p{N}_]+$/u, '') !== called)
    .join('')
    .trim()
}
