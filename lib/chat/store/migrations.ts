import type { Database } from './database.ts'
import { THE_WORLD } from './steps/1-the-world.ts'
import { WHAT_PEOPLE_DO } from './steps/2-what-people-do.ts'
import { WHAT_BOTS_SEE } from './steps/3-what-bots-see.ts'
import { WHAT_GROUPS_KEEP } from './steps/4-what-groups-keep.ts'

/*
 * How the database came to be what it is. A step that was released is never changed: what comes later is a new one. Portable
 * SQL: ids and times are TEXT and come from the program, booleans are 0 and 1.
 */

export const STEPS: readonly string[] = [THE_WORLD, WHAT_PEOPLE_DO, WHAT_BOTS_SEE, WHAT_GROUPS_KEEP]

/** Brings a database up to what this program knows; one that is newer is refused. */
export function migrate(db: Database, steps = STEPS): void {
  const version = Number(db.pragma('user_version'))
  if (version > steps.length) {
    throw new Error(`the data folder was written by a newer fiberws (version ${version} of its tables): use that one`)
  }
  for (const [i, step] of steps.entries()) {
    if (i < version) continue
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(step)
      db.exec(`PRAGMA user_version = ${i + 1}`)
      db.exec('COMMIT')
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  }
}
