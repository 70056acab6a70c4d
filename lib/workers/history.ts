import { sumMetrics } from '../observe/report.ts'
import type { Snapshot } from '../web/observer.ts'
import { rFailure } from '../websock/log.ts'
import type { Member } from './crew.ts'

const COUNTS: ReadonlySet<unknown> = new Set(['counter', 'histogram'])

/** What is known of a worker that has never said a word. */
const UNKNOWN: Snapshot = { ready: false, metrics: [], closes: [] }

/** What workers have told: a sum that falls, for one hangs or has ended, would be taken for a restart of the whole. */
export class History {
  /** What those had counted that have ended; as prom-client has it. */
  metrics: readonly object[] = []
  readonly #latest = new Map<Member, Snapshot>()
  /** One sum after the other: each stands on the one before. */
  #adding: Promise<void> = Promise.resolve()

  note(member: Member, snapshot: Snapshot): void {
    this.#latest.set(member, snapshot)
  }

  /** What is known of a worker that does not answer. */
  latest(member: Member): Snapshot {
    return { ...(this.#latest.get(member) ?? UNKNOWN), ready: false }
  }

  /** The process of a member has ended: what it had said last is all that is known. */
  close(member: Member): void {
    const counts = (this.#latest.get(member)?.metrics ?? []).filter((metric) => COUNTS.has(Reflect.get(metric, 'type')))
    this.#latest.delete(member)
    if (counts.length > 0) this.#adding = this.#adding.then(() => this.#add(counts))
  }

  async #add(counts: readonly object[]): Promise<void> {
    try {
      this.metrics = await sumMetrics([this.metrics, counts])
    } catch (error) {
      rFailure('workers', 'what a worker has counted', error)
    }
  }
}
