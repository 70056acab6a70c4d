import { randomUUID } from 'node:crypto'
import type { Agent } from '../../include-types/agent.ts'
import type { WebSocket, WebSocketData, WebSocketEvent } from '../../include-types/websock.ts'
import type { World } from '../chat/world.ts'
import { isAnswer } from '../web/answer.ts'
import type { ChannelSettings } from '../web/config/channel-settings.ts'
import type { Target } from '../web/handler.ts'
import type { Host } from '../web/host.ts'
import { webSocketFree } from '../websock/close.ts'
import { WS_EVENT_CLOSE, WS_EVENT_MESSAGE, WS_EVENT_OPEN } from '../websock/constants.ts'
import { rError, rFailure } from '../websock/log.ts'
import type { Socket } from '../websock/socket.ts'
import { webSocketRun } from '../websock/run.ts'
import { webSocketCork, webSocketFlush, webSocketGetBufferedAmount } from '../websock/send.ts'
import { Bursts } from './bursts.ts'
import { Chat, type Identity, ROOM, send, type Shared } from './chat.ts'
import { Chats } from './chats.ts'
import type { Connection } from './connection.ts'
import { admit, maySpeak, NEEDS_UPGRADE, type Visitor } from './door.ts'
import { decode, parse } from './inbound.ts'
import { type Kept, Ledger } from './kept.ts'
import { Member } from './member.ts'
import { type Desk, OPERATIONS, type Told } from './operations.ts'
import { IssuedTokens } from './tokens.ts'
import { Turns } from './turns.ts'
import { toAttached, toError, toReady } from './wire.ts'

/** An agent channel of one host: who is let in, their chats, and the agent that answers. */
export class Channel implements Desk {
  readonly #shared: Shared
  readonly #member: Member | null
  readonly #chats: Chats
  readonly tokens: IssuedTokens
  /** What serves its path. */
  readonly socket: Target

  /** @param world where the agent is a member, too; null: nowhere */
  constructor(settings: ChannelSettings, agent: Agent, host: Pick<Host, 'context' | 'topics'>, world: World | null) {
    if (host.context === null) throw new Error('The host does not run')
    const { clock } = host.context
    this.#shared = {
      settings,
      agent,
      clock,
      turns: new Turns(settings.maxConcurrentTurns),
      ledger: new Ledger(settings.resumeBytes),
      bursts: new Bursts(clock),
      topics: () => host.topics,
    }
    this.#member = world === null || settings.join === null ? null : new Member(world, this.#shared, settings.join)
    this.#chats = new Chats(clock, () => this.#shared.settings)
    this.tokens = new IssuedTokens(() => clock.now())
    this.socket = {
      role: null,
      admit: (request) => {
        const verdict = admit(request.query, this.#shared.settings, this.tokens)
        // Nothing keeps what was in it.
        request.url = request.path
        return isAnswer(verdict) ? verdict : this.#toTarget(verdict)
      },
      serve: (request) => request.response?.give(NEEDS_UPGRADE),
    }
  }

  get agent(): Agent {
    return this.#shared.agent
  }

  get settings(): ChannelSettings {
    return this.#shared.settings
  }

  /** Other settings from now on; the agent stays who it is. */
  adopt(settings: ChannelSettings): void {
    const { turns, ledger } = this.#shared
    this.#shared.settings = settings
    turns.allow(settings.maxConcurrentTurns)
    ledger.limit = settings.resumeBytes
  }

  async open(): Promise<void> {
    await this.#member?.join()
  }

  async close(): Promise<void> {
    this.#member?.close()
    this.#chats.close()
    this.tokens.clear()
    try {
      await this.agent.stop?.()
    } catch (error) {
      rFailure('agent', `${this.agent.name}: stop failed`, error)
    }
  }

  #toTarget(visitor: Visitor): Target {
    return {
      role: null,
      ignoresProtocols: true,
      serve: ({ webSocket, remote }) => (webSocket === null ? undefined : this.run(webSocket, remote, visitor)),
    }
  }

  /** Runs a connection that has been let in. */
  run(ws: Socket, remote: string, visitor: Visitor): void {
    const connection: Connection = { ws, visitor, remote, chat: null, chats: new Map() }
    void webSocketRun(ws, this.#proc, connection)
  }

  /** One for all connections. */
  readonly #proc = (
    _ws: WebSocket,
    event: WebSocketEvent,
    buf: WebSocketData,
    _length: number,
    connection: Connection,
  ): void => {
    if (event === WS_EVENT_MESSAGE) this.#receive(connection, buf)
    else if (event === WS_EVENT_OPEN) this.#begin(connection)
    else if (event === WS_EVENT_CLOSE) this.#end(connection)
  }

  /** `ready`, and what was missed. */
  #begin(connection: Connection): void {
    const { ws, visitor } = connection
    const { clientId, resume, index } = visitor
    const found = resume === null ? null : this.#chats.find(resume, clientId)
    // What nobody has asked to go on with is its connection's alone.
    const known = found?.kept === null ? null : found
    const chat = known ?? this.#create(connection, resume !== null)
    const { kept } = chat
    connection.chat = chat
    this.#hold(connection, chat)
    if (kept === null) {
      send(connection, toReady({ chatId: chat.id, clientId, resume: null }))
      return chat.enter(connection)
    }
    const wanted = known === null ? kept.last : (index ?? kept.last)
    const has = kept.after(wanted) !== null
    const from = has ? wanted : kept.last
    webSocketCork(ws, () => {
      send(connection, toReady({ chatId: chat.id, clientId, resume: { index: from, resumed: known !== null && has } }))
      void this.#catchUp(connection, chat, kept, from)
    })
  }

  /** What was missed, no faster than the client reads; from then on it hears what comes. At once, where that is little. */
  async #catchUp(connection: Connection, chat: Chat, kept: Kept, from: number): Promise<void> {
    const { ws } = connection
    for (let at = from; connection.chats.has(chat.id);) {
      const missed = kept.after(at)
      // It was too slow: some of it has gone meanwhile. It may come back, and is told so then.
      if (missed === null) return webSocketFree(ws)
      if (missed.length === 0) return chat.enter(connection)
      for (const frame of missed) {
        if (webSocketGetBufferedAmount(ws) > ROOM) break
        send(connection, frame)
        at++
      }
      if (webSocketGetBufferedAmount(ws) > ROOM) await webSocketFlush(ws)
    }
  }

  #create({ visitor: { clientId }, remote }: Connection, resumable: boolean): Chat {
    const identity: Identity = { id: randomUUID(), clientId, remote, resumable }
    const chat = new Chat(this.#shared, identity)
    this.#chats.add(chat)
    return chat
  }

  /** From now on somebody is there for it. */
  #hold(connection: Connection, chat: Chat): void {
    connection.chats.set(chat.id, chat)
    this.#chats.return(chat)
  }

  #enter(connection: Connection, chat: Chat): void {
    this.#hold(connection, chat)
    chat.enter(connection)
  }

  #end(connection: Connection): void {
    for (const chat of connection.chats.values()) {
      chat.leave(connection)
      if (chat.connections > 0) continue
      if (chat.kept !== null || this.#shared.settings.multiChat) this.#chats.leave(chat)
      else this.#chats.remove(chat)
    }
    connection.chats.clear()
    connection.chat = null
  }

  #receive(connection: Connection, buf: WebSocketData): void {
    const { settings } = this.#shared
    const { clientId } = connection.visitor
    if (!maySpeak(settings, clientId))
      return rError('agent', '%s: a client that is not in allowFrom, ignored', settings.name)
    const text = typeof buf === 'string' ? buf : decode(buf ?? EMPTY)
    if (text === null) return rError('agent', '%s: a binary message that is not text, ignored', settings.name)
    const { chat } = connection
    const said = parse(text, settings.multiChat, chat !== null && chat.kept !== null)
    if (said === null) return
    if (typeof said === 'string') chat?.say(said)
    else if ('content' in said) chat?.say(said.content, said.id)
    else this.#operate(connection, said.type, said.fields)
  }

  #operate(connection: Connection, type: string, fields: Readonly<Record<string, unknown>>): void {
    const operation = Object.hasOwn(OPERATIONS, type) ? OPERATIONS[type] : undefined
    const told: Told =
      operation === undefined ? { refused: `unknown type: '${type}'` } : operation(this, connection, fields)
    if (told === null) return
    send(connection, 'attached' in told ? toAttached(told.attached.id) : toError(told.refused, told.chatId))
  }

  newChat(connection: Connection): Chat | null {
    if (connection.chats.size >= this.#shared.settings.maxChatsPerClient) return null
    const chat = this.#create(connection, connection.chat?.kept !== null)
    this.#enter(connection, chat)
    return chat
  }

  attach(connection: Connection, id: string): Chat | 'access_denied' | 'too_many_chats' {
    const known = connection.chats.get(id)
    if (known !== undefined) return known
    const chat = this.#chats.find(id, connection.visitor.clientId)
    if (chat === null) return 'access_denied'
    if (connection.chats.size >= this.#shared.settings.maxChatsPerClient) return 'too_many_chats'
    this.#enter(connection, chat)
    return chat
  }
}

const EMPTY = new Uint8Array()
