import { PlatformError } from './failure.ts'

/** Messages that wait for one before them: more are refused. */
const MAX_WAITING = 1000

/** What is said in one chat is said in the order in which it was asked for, though some of it has to be fetched first. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()
  #waiting = 0

  /** @param waits whether `job` takes its time: others behind it have to wait then */
  run<T>(chat: string, waits: boolean, job: () => T | Promise<T>): T | Promise<T> {
    const before = this.#last.get(chat)
    if (before === undefined && !waits) return job()
    if (this.#waiting >= MAX_WAITING) throw new PlatformError('TRY_AGAIN_LATER')
    this.#waiting++
    const turn = (before ?? Promise.resolve()).then(job)
    const end = settled(turn)
    this.#last.set(chat, end)
    void end.then(() => this.#leave(chat, end))
    return turn
  }

  #leave(chat: string, end: Promise<void>): void {
    this.#waiting--
    if (this.#last.get(chat) === end) this.#last.delete(chat)
  }
}

/** The end of something, however it ends. */
async function settled(promise: Promise<unknown>): Promise<void> {
  try {
    await promise
  } catch {
    // Whoever has asked for it is told.
  }
}
