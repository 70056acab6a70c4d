import type { FailureCode } from './failure.ts'
import type { Usage } from './wire.ts'

/** Where a turn goes, piece by piece and in order. Nothing here throws. */
export interface Sink {
  /** Text of the answer; never empty. */
  delta(text: string): void
  /** One stream ends, another begins. */
  segment(): void
  message(text: string, media: readonly string[] | undefined, replyTo: string | undefined): void
  progress(text: string, kind: 'progress' | 'tool_hint'): void
  reasoning(text: string): void
  /** The answer is complete. */
  finish(): void
  /** There will be no more of it, and that is said. */
  fail(code: FailureCode): void
  /** There will be no more of it, and whoever stopped it knows. */
  cancel(): void
  /** The last word of a turn, however it has ended. */
  end(latency: number, usage: Usage | null): void
  /** Whether more can be taken now; else when it can. */
  room(): Promise<unknown> | null
}
