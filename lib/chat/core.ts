import type { Audit } from './audit.ts'
import type { Changes } from './changes.ts'
import type { Events } from './events.ts'
import { type Ids, timeOf, toTime } from './ids.ts'
import type { Numbers } from './numbers.ts'
import type { Database } from './store/database.ts'

/** What all parts of the world stand on. */
export interface Core {
  readonly db: Database
  readonly ids: Ids
  readonly numbers: Numbers
  readonly events: Events
  readonly changes: Changes
  readonly audit: Audit
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** The time at which something with this id was made. */
export const createdAt = (id: string): string => toTime(timeOf(id))
