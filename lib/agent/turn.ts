import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Agent, Session, TurnContext } from '../../include-types/agent.ts'
import type { Clock } from '../engine/port.ts'
import { rError, rInfo } from '../websock/log.ts'
import { errorText } from '../websock/run.ts'
import { isThenable } from '../websock/thenable.ts'
import { toPart } from './chunk.ts'
import { codeOf, Failure } from './failure.ts'
import type { Sink } from './sink.ts'
import type { Usage } from './wire.ts'

/** Chunks in a row before others get their turn: an agent may have its answer at hand. */
const BURST = 64
/** Milliseconds for an agent to notice that nobody wants its answer any more. */
const FAREWELL = 1000

export interface TurnLimits {
  readonly streaming: boolean
  /** Milliseconds; Infinity: any. */
  readonly agentTimeout: number
  readonly idleTimeout: number
  readonly maxReplyBytes: number
}

/** What is asked, of whom, and where the answer goes. */
export interface Question {
  readonly agent: Agent
  readonly session: Session
  readonly text: string
  readonly turnId: string
  readonly sink: Sink
  readonly limits: TurnLimits
  readonly clock: Clock
}

/** Told once when the agent has let go: the answer, null where there is none to remember. */
type Ended = (answer: string | null) => void

interface Pieces {
  next(): unknown
  return?(): unknown
}

/** One answer of an agent, from the question to its end. */
export class Turn {
  readonly #question: Question
  readonly #ended: Ended
  readonly #controller = new AbortController()
  readonly #startedAt: number
  #over = false
  #pieces: Pieces | null = null
  #answer = ''
  #bytes = 0
  #usage: Usage | null = null
  /** Since when the agent is waited for; null while it is the client. */
  #waitingSince: number | null
  #stopTimeout: () => void = () => {}
  #stopIdle: () => void = () => {}

  constructor(question: Question, ended: Ended) {
    this.#question = question
    this.#ended = ended
    this.#startedAt = question.clock.now()
    this.#waitingSince = this.#startedAt
  }

  start(): void {
    const { agent, session, text, turnId, limits, clock } = this.#question
    const { agentTimeout, idleTimeout, streaming } = limits
    const context: TurnContext = {
      signal: this.#controller.signal,
      streaming,
      turnId,
      log: {
        info: (message) => rInfo('agent', '%s', message),
        error: (message) => rError('agent', '%s', message),
      },
    }
    if (agentTimeout !== Infinity) {
      const tooLate = (): void => this.#abort(new Failure('agent_timeout', `no answer within ${agentTimeout / 1000} s`))
      this.#stopTimeout = clock.after(agentTimeout, tooLate, false)
    }
    this.#watchIdle(idleTimeout)
    try {
      this.#take(agent.reply(session, text, context))
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Nobody wants the answer any more: nothing of it is sent from here on. */
  cancel(): void {
    if (!this.#close()) return
    this.#question.sink.cancel()
    this.#end()
    this.#release()
  }

  /** What `reply` returned, or what that resolved with. */
  #take(reply: unknown): void {
    if (isThenable(reply)) {
      void Promise.resolve(reply)
        .then((value) => this.#take(value))
        .catch((error: unknown) => this.#fail(error))
      return
    }
    const pieces = toPieces(reply)
    if (pieces !== null) {
      // It came too late, and may hold on to something.
      if (this.#over) return void leave(pieces)?.catch(() => {})
      this.#pieces = pieces
      void this.#iterate(pieces)
    } else if (!this.#over) {
      if (reply !== undefined && typeof reply !== 'string') throw new Failure('agent_error', 'The agent gave no answer')
      if (reply !== undefined) this.#add(reply)
      this.#finish()
    }
  }

  async #iterate(pieces: Pieces): Promise<void> {
    const { sink, clock } = this.#question
    try {
      for (let left = BURST; !this.#over; left--) {
        if (left === 0) {
          left = BURST
          await nextTurn()
        }
        const room = sink.room()
        if (room !== null) {
          this.#waitingSince = null
          await room
          this.#waitingSince = clock.now()
          continue
        }
        const step = toStep(await pieces.next())
        if (this.#over) return
        if (step.done === true) return this.#finish()
        this.#waitingSince = clock.now()
        this.#add(step.value)
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #add(chunk: unknown): void {
    if (typeof chunk === 'string') {
      if (chunk === '') return
      this.#count(chunk)
      this.#answer += chunk
      return this.#question.sink.delta(chunk)
    }
    const part = toPart(chunk)
    const { sink } = this.#question
    if ('text' in part) this.#count(part.text)
    if (part.type === 'segment') sink.segment()
    else if (part.type === 'message') sink.message(part.text, part.media, part.replyTo)
    else if (part.type === 'progress') sink.progress(part.text, part.kind ?? 'progress')
    else if (part.type === 'reasoning') sink.reasoning(part.text)
    else this.#usage = part
  }

  #count(text: string): void {
    this.#bytes += Buffer.byteLength(text)
    const { maxReplyBytes } = this.#question.limits
    if (this.#bytes > maxReplyBytes)
      throw new Failure('agent_error', `The answer is longer than ${maxReplyBytes} bytes`)
  }

  #finish(): void {
    if (!this.#close()) return
    this.#question.sink.finish()
    this.#end()
    this.#ended(this.#answer.trim() === '' ? null : this.#answer)
  }

  #fail(error: unknown): void {
    // What an agent says when it is told to stop is of no interest.
    if (this.#over) return
    this.#abort(error)
  }

  #abort(error: unknown): void {
    if (!this.#close()) return
    const { agent, turnId, sink } = this.#question
    rError('agent', '%s: turn %s failed: %s', agent.name, turnId, errorText(error))
    sink.fail(codeOf(error))
    this.#end()
    this.#release()
  }

  /** False where it was over before. */
  #close(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#stopTimeout()
    this.#stopIdle()
    return true
  }

  #end(): void {
    const { sink, clock } = this.#question
    sink.end(clock.now() - this.#startedAt, this.#usage)
  }

  /** Tells the agent to stop, and waits a moment for it to do so. */
  #release(): void {
    const pieces = this.#pieces
    this.#pieces = null
    this.#controller.abort()
    const left = pieces === null ? null : leave(pieces)
    if (left === null) return this.#ended(null)
    let told = false
    const tell = (): void => {
      if (told) return
      told = true
      cancel()
      this.#ended(null)
    }
    const cancel = this.#question.clock.after(FAREWELL, tell, false)
    void left.then(tell, tell)
  }

  /** One timer for all chunks: it looks when the last one came. */
  #watchIdle(wait: number): void {
    const { clock, limits } = this.#question
    this.#stopIdle = clock.after(
      wait,
      () => {
        const silent = this.#waitingSince === null ? 0 : clock.now() - this.#waitingSince
        if (silent < limits.idleTimeout) return this.#watchIdle(limits.idleTimeout - silent)
        this.#abort(new Failure('agent_idle', `nothing came for ${limits.idleTimeout / 1000} s`))
      },
      false,
    )
  }
}

/** Ends an iteration; null where there is nothing to wait for. */
function leave(pieces: Pieces): Promise<unknown> | null {
  try {
    const left = pieces.return?.()
    return isThenable(left) ? Promise.resolve(left) : null
  } catch {
    return null
  }
}

/** What yields chunks; null for anything else. */
function toPieces(reply: unknown): Pieces | null {
  if (typeof reply !== 'object' || reply === null) return null
  const iterate: unknown = Reflect.get(reply, Symbol.asyncIterator) ?? Reflect.get(reply, Symbol.iterator)
  if (typeof iterate !== 'function') return null
  const pieces: unknown = Reflect.apply(iterate, reply, [])
  if (isPieces(pieces)) return pieces
  throw new Failure('agent_error', 'The agent gave something that cannot be iterated')
}

const isPieces = (value: unknown): value is Pieces =>
  typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function'

function toStep(step: unknown): { readonly done?: unknown; readonly value?: unknown } {
  if (typeof step === 'object' && step !== null) return step
  throw new Failure('agent_error', 'The agent gave something that cannot be iterated')
}
