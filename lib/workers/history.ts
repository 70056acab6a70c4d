import { sumMetrics } from '../observe/report.ts'
import type { Snapshot } from '../web/observer.ts'
import { rFailure } from '../websock/log.ts'
import type { Member } from './crew.ts'

const COUNTS: ReadonlySet<unknown> = new Set(['counter', 'histogram'])

/** What workers had counted that have ended: a sum that falls would be taken for a restart of the whole. */
export class History {
  /** As prom-client has them. */
  metrics: readonly object[] = []
  readonly #latest = new Map<Member, Snapshot>()
  /** One sum after the other: each stands on the one before. */
  #adding: Promise<void> = Promise.resolve()

  note(member: Member, snapshot: Snapshot): void {
    this.#latest.set(member, snapshot)
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
