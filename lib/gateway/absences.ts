import { Deadlines } from '../chat/deadlines.ts'
import type { Link } from '../chat/presence.ts'
import type { Pace } from '../websock/pace.ts'
import type { Connection } from './connection.ts'

/** Somebody who has gone for a moment, and counts as present until then. */
export interface Absence {
  readonly link: Link
  readonly caller: Connection['caller']
}

/** Those who have gone and may be back before others hear of it. */
export class Absences {
  readonly #byUser = new Map<string, Set<Absence>>()
  readonly #deadlines: Deadlines<Absence>

  /** @param pace many may be due at the same time */
  constructor(now: () => number, pace: Pace) {
    this.#deadlines = new Deadlines(now, (absence) => pace.run(() => this.#end(absence)))
  }

  close(): void {
    this.#deadlines.close()
  }

  /** @param until milliseconds since 1970 */
  add(absence: Absence, until: number): void {
    const { userId } = absence.caller
    this.#byUser.set(userId, (this.#byUser.get(userId) ?? new Set()).add(absence))
    this.#deadlines.add(absence, until)
  }

  /** Those do not count as present any longer. */
  end(userId: string, which: (caller: Connection['caller']) => boolean = () => true): void {
    for (const absence of this.#byUser.get(userId) ?? []) if (which(absence.caller)) this.#end(absence)
  }

  #end(absence: Absence): void {
    const { userId } = absence.caller
    const absences = this.#byUser.get(userId)
    if (absences?.delete(absence) !== true) return
    if (absences.size === 0) this.#byUser.delete(userId)
    this.#deadlines.delete(absence)
    absence.link.detach()
  }
}
