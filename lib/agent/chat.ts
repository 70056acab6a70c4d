import { webSocketFree } from '../websock/close.ts'
import { R_ERR_WOULD_BLOCK } from '../websock/constants.ts'
import { webSocketCork, webSocketFlush, webSocketGetBufferedAmount, webSocketSendString } from '../websock/send.ts'
import { joinTopic, leaveTopic, type Topics } from '../websock/topics.ts'
import type { Bursting, Bursts } from './bursts.ts'
import type { Connection } from './connection.ts'
import { type Company, Conversation } from './conversation.ts'
import { textOf } from './failure.ts'
import { Kept, type Ledger } from './kept.ts'
import { Output, type Outlet } from './output.ts'
import { toMessage } from './wire.ts'

/** Bytes that may wait for a client before its agent waits, too. */
export const ROOM = 262_144

/** Milliseconds between two looks at what waits. */
const LOOK = 100
/** Names of messages that a chat remembers, and characters of one. */
const MOST_KNOWN = 100
const LONGEST_NAME = 64

/** What the chats of a channel have in common. */
export interface Shared extends Company {
  readonly ledger: Ledger
  readonly bursts: Bursts
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

/** One chat: who hears it, and what they say. */
export class Chat implements Outlet, Bursting {
  readonly id: string
  readonly clientId: string
  /** Null: nobody can go on with it. */
  readonly kept: Kept | null
  readonly #shared: Shared
  readonly #conversation: Conversation
  readonly #connections = new Set<Connection>()
  readonly #topic: string
  /** What its frames have in common. */
  readonly #tail: string
  /** Names of what its client has said lately. */
  readonly #known = new Set<string>()
  #closed = false
  /** In this turn of the event loop something was sent; and what came behind it. */
  #sent = false
  #burst: string[] = []

  constructor(shared: Shared, { id, clientId, remote, resumable }: Identity) {
    this.id = id
    this.clientId = clientId
    this.#shared = shared
    this.#conversation = new Conversation(shared, { key: `websocket:${id}`, chatId: id, clientId, remote })
    this.kept = resumable ? new Kept(shared.ledger) : null
    this.#topic = `a/${id}`
    this.#tail = shared.settings.multiChat ? `,"chat_id":"${id}"` : ''
  }

  get connections(): number {
    return this.#connections.size
  }

  /** One more hears it, from now on. */
  enter(connection: Connection): void {
    if (this.#connections.has(connection)) return
    this.#sendBurst()
    this.#connections.add(connection)
    // Where there is one, nothing has to be found by a topic.
    if (this.#connections.size === 2) for (const { ws } of this.#connections) joinTopic(ws, this.#topic)
    else if (this.#connections.size > 2) joinTopic(connection.ws, this.#topic)
  }

  leave(connection: Connection): void {
    this.#sendBurst()
    if (!this.#connections.delete(connection)) return
    leaveTopic(connection.ws, this.#topic)
    if (this.#connections.size === 1) for (const { ws } of this.#connections) leaveTopic(ws, this.#topic)
  }

  /** Its client says something. It may say it again, under the same name: where its connection ended it cannot know what came. */
  say(text: string, id: string | null = null): void {
    const { settings } = this.#shared
    const name = id === null || id.length > LONGEST_NAME ? null : id
    if (name !== null && this.#known.has(name)) return
    if (settings.commands && text.trim() === '/stop') return this.#stop()
    const item =
      settings.commands && text.trim() === '/new'
        ? { run: () => this.#begin() }
        : { text, toSink: (turnId: string) => new Output(this, settings, turnId) }
    if (!this.#conversation.push(item)) {
      return this.emit(toMessage({ text: textOf('queue_full'), error: { code: 'queue_full' } }))
    }
    if (name !== null) this.#know(name)
  }

  #know(name: string): void {
    this.#known.add(name)
    const [oldest] = this.#known
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest)
  }

  // As nanobot says it, here and below.

  #stop(): void {
    const stopped = this.#conversation.stop()
    this.#tell(stopped === 0 ? 'No active task to stop.' : `Stopped ${stopped} task(s).`)
  }

  #begin(): void {
    this.#conversation.clear()
    this.#tell('New session started.')
  }

  #tell(text: string): void {
    this.emit(toMessage({ text }))
  }

  /** Nobody comes back, and nobody hears any more of it. */
  close(): void {
    this.#closed = true
    this.#conversation.close()
    this.kept?.clear()
  }

  emit(frame: string): void {
    if (this.#closed) return
    const { kept } = this
    const whole = kept === null ? `${frame}${this.#tail}}` : `${frame}${this.#tail},"index":${kept.next}}`
    kept?.add(whole)
    if (this.#sent) {
      this.#burst.push(whole)
      return
    }
    // What comes alone, as from a model, leaves at once; what comes with it in one write.
    this.#sent = true
    this.#shared.bursts.add(this)
    this.#send(whole)
  }

  #send(frame: string): void {
    if (this.#connections.size > 1) return void this.#shared.topics()?.publish(this.#topic, frame, false)
    for (const connection of this.#connections) send(connection, frame)
  }

  /** The turn of the event loop ends. */
  flush(): void {
    this.#sent = false
    this.#sendBurst()
  }

  #sendBurst(): void {
    const burst = this.#burst
    if (burst.length === 0) return
    this.#burst = []
    const [first] = this.#connections
    if (first === undefined) return
    webSocketCork(first.ws, () => {
      for (const frame of burst) this.#send(frame)
    })
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

  /** When one of them has read enough of what waits; those who have not in the time of a ping are dropped. */
  #whenRead(): Promise<void> {
    const { clock, settings } = this.#shared
    const slow = Array.from(this.#connections, ({ ws }) => ws)
    const until = clock.now() + settings.pingTimeout
    return new Promise((resolve) => {
      // What the kernel takes little by little, nobody tells before it has taken all.
      const stop = clock.every(LOOK, () => {
        const late = clock.now() >= until
        const enough = late ? ROOM : ROOM / 2
        if (slow.some((ws) => webSocketGetBufferedAmount(ws) <= enough)) goOn()
        else if (late) for (const ws of slow) webSocketFree(ws)
      })
      const goOn = (): void => {
        stop()
        resolve()
      }
      for (const ws of slow) void webSocketFlush(ws).then(goOn)
    })
  }
}

/** Who cannot take it, is dropped: behind a gap nothing more is sent. */
export function send({ ws }: Connection, frame: string): void {
  if (webSocketSendString(ws, frame) === R_ERR_WOULD_BLOCK) webSocketFree(ws)
}
