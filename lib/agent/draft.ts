import type { Message } from '../chat/store/messages.ts'
import type { World } from '../chat/world.ts'
import { MAX_CONTENT } from '../chat/limits.ts'
import type { Clock } from '../engine/port.ts'
import { rError } from '../websock/log.ts'
import { errorText } from '../websock/run.ts'
import { type FailureCode, textOf } from './failure.ts'
import type { Sink } from './sink.ts'

/** Where an answer is said. */
export interface Spot {
  readonly world: World
  readonly clock: Clock
  /** The agent. */
  readonly userId: string
  /** What is answered. */
  readonly question: Pick<Message, 'id' | 'channel_id' | 'thread_id'>
  /** Milliseconds between two edits. */
  readonly editEvery: number
}

/** An answer as a message of the world that grows, at a bounded rate; where it gets too long for one, as several. */
export class Draft implements Sink {
  readonly #spot: Spot
  /** What this message is to say. */
  #text = ''
  /** What it says. */
  #said = ''
  #id: string | null = null
  #done = false
  #writing = false
  #cancel: (() => void) | null = null
  #writtenAt = -Infinity
  /** It cannot be said there: the agent may have been sent away. */
  #refused = false

  constructor(spot: Spot) {
    this.#spot = spot
  }

  delta(text: string): void {
    this.#text += text.replaceAll('\0', '')
    this.#soon()
  }

  segment(): void {}

  message(text: string): void {
    this.delta(this.#text === '' ? text : `\n${text}\n`)
  }

  progress(): void {}

  reasoning(): void {}

  finish(): void {
    this.#done = true
    this.#soon()
  }

  fail(code: FailureCode): void {
    this.delta(this.#text === '' ? textOf(code) : `\n${textOf(code)}`)
    this.finish()
  }

  cancel(): void {
    this.finish()
  }

  end(): void {}

  room(): null {
    return null
  }

  /** Writes now, or when the time for the next edit has come. */
  #soon(): void {
    const { clock, editEvery } = this.#spot
    if (this.#writing || this.#refused) return
    const wait = this.#done ? 0 : this.#writtenAt + editEvery - clock.now()
    this.#cancel?.()
    this.#cancel = null
    if (wait <= 0) void this.#write()
    else this.#cancel = clock.after(wait, () => void this.#write(), false)
  }

  async #write(): Promise<void> {
    const { world, clock, userId, question } = this.#spot
    const { part, rest } = cutAt(this.#text.toWellFormed())
    const complete = rest !== '' || this.#done
    if (!/\S/u.test(part) || (part === this.#said && !complete)) return
    this.#writing = true
    this.#writtenAt = clock.now()
    const id = this.#id
    try {
      const { id: own } = await world.changes.run(() =>
        id === null
          ? world.messages.begin(userId, question.channel_id, question.id, part, complete)
          : world.messages.grow(userId, id, part, complete),
      )
      this.#id = own
      this.#said = part
      if (complete) this.#next(part.length)
    } catch (error) {
      this.#refused = true
      rError('agent', 'an answer cannot be said: %s', errorText(error))
    }
    this.#writing = false
    if (this.#text !== '' && (this.#text.toWellFormed() !== this.#said || this.#done)) this.#soon()
  }

  /** What does not fit is said in a message of its own. */
  #next(said: number): void {
    this.#id = null
    this.#said = ''
    this.#text = this.#text.slice(said)
  }
}

/** What fits into a message, up to the end of a line or a word. */
function cutAt(text: string): { readonly part: string; readonly rest: string } {
  if (text.length <= MAX_CONTENT) return { part: text, rest: '' }
  const characters = Array.from(text)
  if (characters.length <= MAX_CONTENT) return { part: text, rest: '' }
  const most = characters.slice(0, MAX_CONTENT).join('')
  const at = Math.max(most.lastIndexOf('\n'), most.lastIndexOf(' '))
  const end = at > most.length / 2 ? at + 1 : most.length
  return { part: text.slice(0, end), rest: text.slice(end) }
}
