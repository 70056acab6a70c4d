import { type FailureCode, textOf } from './failure.ts'
import type { Sink } from './sink.ts'
import { toDelta, toMessage, toReasoning, toReasoningEnd, toStreamEnd, toTurnEnd, type Usage } from './wire.ts'

export interface OutputSettings {
  readonly streaming: boolean
  readonly turnEvents: boolean
  readonly progress: boolean
  readonly reasoning: boolean
}

/** Where the frames of a chat go. */
export interface Outlet {
  emit(frame: string): void
  room(): Promise<unknown> | null
}

const HIGH_SURROGATE = /[\uD800-\uDBFF]$/

/** A turn as frames: `delta` and `stream_end`, or one `message`. */
export class Output implements Sink {
  readonly #outlet: Outlet
  readonly #settings: OutputSettings
  readonly #turnId: string
  #segment = 0
  #streamId: string
  /** The stream has a delta: it will have an end. */
  #open = false
  #thinks = false
  /** Half of a character, whose other half comes with the next chunk. */
  #half = ''
  /** Without streams: what came so far. */
  #whole = ''

  constructor(outlet: Outlet, settings: OutputSettings, turnId: string) {
    this.#outlet = outlet
    this.#settings = settings
    this.#turnId = turnId
    this.#streamId = `${turnId}.0`
  }

  delta(text: string): void {
    this.#endThought()
    if (!this.#settings.streaming) {
      this.#whole += text
      return
    }
    let chunk = this.#half + text
    this.#half = ''
    if (HIGH_SURROGATE.test(chunk)) {
      this.#half = chunk.slice(-1)
      chunk = chunk.slice(0, -1)
    }
    if (chunk !== '') this.#send(chunk)
  }

  #send(chunk: string): void {
    this.#open = true
    this.#outlet.emit(toDelta(chunk, this.#streamId))
  }

  segment(): void {
    this.#endThought()
    if (!this.#settings.streaming) return
    this.#endStream()
    this.#segment++
    this.#streamId = `${this.#turnId}.${this.#segment}`
  }

  message(text: string, media: readonly string[] | undefined, replyTo: string | undefined): void {
    this.#endThought()
    this.#outlet.emit(toMessage({ text, media, replyTo }))
  }

  progress(text: string, kind: 'progress' | 'tool_hint'): void {
    if (this.#settings.progress) this.#outlet.emit(toMessage({ text, kind }))
  }

  reasoning(text: string): void {
    if (!this.#settings.reasoning || text === '') return
    this.#thinks = true
    this.#outlet.emit(toReasoning(text, this.#streamId))
  }

  finish(): void {
    this.#endThought()
    if (this.#settings.streaming) this.#endStream()
    else this.#outlet.emit(toMessage({ text: this.#whole }))
  }

  fail(code: FailureCode): void {
    this.cancel()
    this.#outlet.emit(toMessage({ text: textOf(code), error: { code } }))
  }

  cancel(): void {
    this.#endThought()
    if (this.#open || this.#half !== '') this.#endStream()
  }

  end(latency: number, usage: Usage | null): void {
    if (this.#settings.turnEvents) this.#outlet.emit(toTurnEnd(this.#turnId, latency, usage))
  }

  room(): Promise<unknown> | null {
    return this.#outlet.room()
  }

  #endStream(): void {
    if (this.#half !== '') this.#send(this.#half)
    this.#half = ''
    this.#open = false
    this.#outlet.emit(toStreamEnd(this.#streamId))
  }

  #endThought(): void {
    if (!this.#thinks) return
    this.#thinks = false
    this.#outlet.emit(toReasoningEnd(this.#streamId))
  }
}
