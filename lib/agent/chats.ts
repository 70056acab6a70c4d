import type { Chat } from './chat.ts'
import type { Clock } from '../engine/port.ts'

export interface ChatLimits {
  /** Milliseconds for which a chat waits for its client. */
  readonly resumeFor: number
  readonly resumeChats: number
}

/** The chats of a channel, also those that wait for their clients. */
export class Chats {
  readonly #chats = new Map<string, Chat>()
  /** Those that wait, the oldest first, and until when. */
  readonly #left = new Map<Chat, number>()
  readonly #clock: Clock
  readonly #limits: () => ChatLimits
  #stop: () => void = () => {}
  /** When somebody is looked for next; Infinity: nobody waits. */
  #due = Infinity

  constructor(clock: Clock, limits: () => ChatLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get size(): number {
    return this.#chats.size
  }

  /** Those of nobody. */
  get waiting(): number {
    return this.#left.size
  }

  add(chat: Chat): void {
    this.#chats.set(chat.id, chat)
  }

  /** One's own; what is another's is nobody's. */
  find(id: string, clientId: string): Chat | null {
    const chat = this.#chats.get(id)
    return chat === undefined || chat.clientId !== clientId ? null : chat
  }

  /** Its client is there. */
  return(chat: Chat): void {
    this.#left.delete(chat)
  }

  /** Nobody hears it any more, for now. */
  leave(chat: Chat): void {
    const { resumeFor, resumeChats } = this.#limits()
    const until = this.#clock.now() + resumeFor
    this.#left.set(chat, until)
    for (const oldest of this.#left.keys()) {
      if (this.#left.size <= resumeChats) break
      this.remove(oldest)
    }
    if (until < this.#due) this.#watch(until)
  }

  remove(chat: Chat): void {
    this.#left.delete(chat)
    this.#chats.delete(chat.id)
    chat.close()
  }

  close(): void {
    this.#stop()
    this.#due = Infinity
    for (const chat of this.#chats.values()) this.remove(chat)
  }

  #watch(due: number): void {
    this.#stop()
    this.#due = due
    if (due === Infinity) return
    this.#stop = this.#clock.after(Math.max(1, due - this.#clock.now()), () => this.#sweep(), false)
  }

  #sweep(): void {
    const now = this.#clock.now()
    let next = Infinity
    for (const [chat, until] of this.#left) {
      if (until <= now) this.remove(chat)
      else next = Math.min(next, until)
    }
    this.#watch(next)
  }
}
