import type { Agent, ChatMessage, Session } from '../../include-types/agent.ts'
import type { Clock } from '../engine/port.ts'
import type { ChannelSettings } from '../web/config/to-channel.ts'
import { webSocketFree } from '../websock/close.ts'
import { R_ERR_WOULD_BLOCK } from '../websock/constants.ts'
import { rFailure } from '../websock/log.ts'
import { webSocketFlush, webSocketGetBufferedAmount, webSocketSendString } from '../websock/send.ts'
import { joinTopic, leaveTopic, type Topics } from '../websock/topics.ts'
import type { Connection } from './connection.ts'
import { type FailureCode, textOf } from './failure.ts'
import { remember } from './history.ts'
import { Kept, type Ledger } from './kept.ts'
import { Output, type Outlet } from './output.ts'
import type { Taker, Turns } from './turns.ts'
import { Turn } from './turn.ts'
import { toMessage } from './wire.ts'

/** Bytes that may wait for a client before its agent waits, too. */
const ROOM = 256 << 10

/** What the chats of a channel share. */
export interface Shared {
  readonly settings: ChannelSettings
  readonly agent: Agent
  readonly clock: Clock
  readonly turns: Turns
  readonly ledger: Ledger
  readonly topics: () => Topics | null
}

/** What the client of a chat is called, and how others find it. */
export interface Identity {
  readonly id: string
  readonly clientId: string
  readonly remote: string
  /** Its client can go on with it: frames have numbers, and the last of them are kept. */
  readonly resumable: boolean
}

class ChatSession implements Session {
  readonly key: string
  readonly chatId: string
  readonly clientId: string
  readonly remote: string
  history: readonly ChatMessage[] = []
  readonly state = new Map<string, unknown>()

  constructor({ id, clientId, remote }: Identity) {
    this.key = `websocket:${id}`
    this.chatId = id
    this.clientId = clientId
    this.remote = remote
  }
}

/** Commands that wait for their turn, as messages do. */
const QUEUED_COMMANDS: Readonly<Record<string, (session: ChatSession) => string>> = {
  '/new': (session) => {
    session.history = []
    session.state.clear()
    return 'New session started.'
  },
}

/** One conversation with the agent: who hears it, what was said, what is still to be answered. */
export class Chat implements Outlet, Taker {
  readonly #shared: Shared
  readonly #session: ChatSession
  /** Null: nobody can go on with it. */
  readonly kept: Kept | null
  readonly #connections = new Set<Connection>()
  readonly #topic: string
  /** What its frames have in common. */
  readonly #tail: string
  #queue: string[] = []
  #turn: Turn | null = null
  #turns = 0
  #closed = false

  constructor(shared: Shared, identity: Identity) {
    this.#shared = shared
    this.#session = new ChatSession(identity)
    this.kept = identity.resumable ? new Kept(shared.ledger) : null
    this.#topic = `a/${identity.id}`
    this.#tail = shared.settings.multiChat ? `,"chat_id":"${identity.id}"` : ''
  }

  get id(): string {
    return this.#session.chatId
  }

  get clientId(): string {
    return this.#session.clientId
  }

  get connections(): number {
    return this.#connections.size
  }

  /** One more hears it, from now on. */
  enter(connection: Connection): void {
    if (this.#connections.has(connection)) return
    this.#connections.add(connection)
    // Where there is one, nothing has to be found by a topic.
    if (this.#connections.size === 2) for (const { ws } of this.#connections) joinTopic(ws, this.#topic)
    else if (this.#connections.size > 2) joinTopic(connection.ws, this.#topic)
  }

  leave(connection: Connection): void {
    if (!this.#connections.delete(connection)) return
    leaveTopic(connection.ws, this.#topic)
    if (this.#connections.size === 1) for (const { ws } of this.#connections) leaveTopic(ws, this.#topic)
  }

  /** Its client says something. */
  say(text: string): void {
    const { settings, turns } = this.#shared
    if (settings.commands && text.trim() === '/stop') return this.#stop()
    if (this.#queue.length >= settings.maxQueuedPerChat) return this.#refuse('queue_full')
    this.#queue.push(text)
    turns.want(this)
  }

  take(done: () => void): boolean {
    for (;;) {
      const text = this.#queue.shift()
      if (text === undefined || this.#closed) return false
      const command = this.#shared.settings.commands ? QUEUED_COMMANDS[text.trim()] : undefined
      if (command === undefined) {
        this.#answer(text, done)
        return true
      }
      this.#tell(command(this.#session))
    }
  }

  #answer(text: string, done: () => void): void {
    const { settings, agent, clock } = this.#shared
    const turnId = `${this.id.slice(0, 8)}.${++this.#turns}`
    const sink = new Output(this, settings, turnId)
    this.#turn = new Turn({ agent, session: this.#session, text, turnId, sink, limits: settings, clock }, (answer) => {
      this.#turn = null
      if (answer !== null) this.#session.history = remember(this.#session.history, text, answer, settings)
      done()
    })
    this.#turn.start()
  }

  /** Of what runs and waits, as nanobot counts it. */
  #stop(): void {
    const stopped = this.#queue.length + (this.#turn === null ? 0 : 1)
    this.#queue = []
    this.#turn?.cancel()
    this.#tell(stopped === 0 ? 'No active task to stop.' : `Stopped ${stopped} task(s).`)
  }

  #tell(text: string): void {
    this.emit(toMessage({ text }))
  }

  #refuse(code: FailureCode): void {
    this.emit(toMessage({ text: textOf(code), error: { code } }))
  }

  /** Nobody comes back: the agent may forget it. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue = []
    this.#turn?.cancel()
    this.kept?.clear()
    const { agent } = this.#shared
    try {
      agent.sessionClosed?.(this.#session)
    } catch (error) {
      rFailure('agent', `${agent.name}: sessionClosed failed`, error)
    }
  }

  emit(frame: string): void {
    if (this.#closed) return
    const { kept } = this
    const whole = kept === null ? `${frame}${this.#tail}}` : `${frame}${this.#tail},"index":${kept.next}}`
    kept?.add(whole)
    if (this.#connections.size > 1) return void this.#shared.topics()?.publish(this.#topic, whole, false)
    for (const connection of this.#connections) send(connection, whole)
  }

  /** As long as one of those who listen reads, the agent goes on: others have to catch up. */
  room(): Promise<unknown> | null {
    let waits = false
    for (const { ws } of this.#connections) {
      if (webSocketGetBufferedAmount(ws) <= ROOM) return null
      waits = true
    }
    return waits ? this.#whenRead() : null
  }

  /** When one of them has read what waits; whoever has not in the time of a ping is dropped. */
  async #whenRead(): Promise<void> {
    const { clock, settings } = this.#shared
    const slow = [...this.#connections]
    const stop = clock.after(
      settings.pingTimeout,
      () => {
        for (const { ws } of slow) if (webSocketGetBufferedAmount(ws) > ROOM) webSocketFree(ws)
      },
      false,
    )
    await Promise.race(slow.map(({ ws }) => webSocketFlush(ws)))
    stop()
  }
}

/** Who cannot take it, is dropped: behind a gap nothing more is sent. */
export function send({ ws }: Connection, frame: string): void {
  if (webSocketSendString(ws, frame) === R_ERR_WOULD_BLOCK) webSocketFree(ws)
}
