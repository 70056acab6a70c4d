import type { Agent, ChatMessage, Session } from '../../include-types/agent.ts'
import type { Clock } from '../engine/port.ts'
import type { ChannelSettings } from '../web/config/channel-settings.ts'
import { rFailure } from '../websock/log.ts'
import { remember } from './history.ts'
import type { Sink } from './sink.ts'
import { Turn } from './turn.ts'
import type { Taker, Turns } from './turns.ts'

/** What conversations have in common. */
export interface Company {
  /** A reload may put others in their place. */
  settings: ChannelSettings
  readonly agent: Agent
  readonly clock: Clock
  readonly turns: Turns
}

class OwnSession implements Session {
  readonly key: string
  readonly chatId: string
  readonly clientId: string
  readonly remote: string
  history: readonly ChatMessage[] = []
  readonly state = new Map<string, unknown>()

  constructor({ key, chatId, clientId, remote }: Pick<Session, 'key' | 'chatId' | 'clientId' | 'remote'>) {
    this.key = key
    this.chatId = chatId
    this.clientId = clientId
    this.remote = remote
  }
}

type Item =
  | { readonly text: string; readonly toSink: (turnId: string) => Sink }
  /** Something else that waits for its turn, and takes none. */
  | { readonly run: () => void }

/** Somebody and the agent: what was said, what is still to be answered, one after the other. */
export class Conversation implements Taker {
  readonly #company: Company
  readonly #session: OwnSession
  readonly #queue: Item[] = []
  #turn: Turn | null = null
  #turns = 0
  #closed = false

  constructor(company: Company, session: Pick<Session, 'key' | 'chatId' | 'clientId' | 'remote'>) {
    this.#company = company
    this.#session = new OwnSession(session)
  }

  get session(): Session {
    return this.#session
  }

  /** Nothing is answered, and nothing waits. */
  get idle(): boolean {
    return this.#turn === null && this.#queue.length === 0
  }

  /** Puts it behind what waits; false where that is too much. */
  push(item: Item): boolean {
    if (this.#closed || this.#queue.length >= this.#company.settings.maxQueuedPerChat) return false
    this.#queue.push(item)
    this.#company.turns.want(this)
    return true
  }

  take(done: () => void): boolean {
    for (;;) {
      const item = this.#queue.shift()
      if (item === undefined) return false
      if ('run' in item) item.run()
      else {
        this.#answer(item.text, item.toSink, done)
        return true
      }
    }
  }

  #answer(text: string, toSink: (turnId: string) => Sink, done: () => void): void {
    const { settings, agent, clock } = this.#company
    const session = this.#session
    const turnId = `${session.chatId.slice(0, 8)}.${++this.#turns}`
    const question = { agent, session, text, turnId, sink: toSink(turnId), limits: settings, clock }
    this.#turn = new Turn(question, (answer) => {
      this.#turn = null
      if (answer !== null) session.history = remember(session.history, text, answer, settings)
      done()
    })
    this.#turn.start()
  }

  /** What was said is forgotten. */
  clear(): void {
    this.#session.history = []
    this.#session.state.clear()
  }

  /** Ends what runs, and lets go of what waits: how much that was. */
  stop(): number {
    const stopped = this.#queue.length + (this.#turn === null ? 0 : 1)
    this.#queue.length = 0
    this.#turn?.cancel()
    this.#turn = null
    return stopped
  }

  /** Nobody comes back: the agent may forget it. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.stop()
    const { agent } = this.#company
    try {
      agent.sessionClosed?.(this.#session)
    } catch (error) {
      rFailure('agent', `${agent.name}: sessionClosed failed`, error)
    }
  }
}
