import type { Database } from './store/database.ts'
import type { Events, WorldEvent } from './events.ts'
import type { Mark, Numbers } from './numbers.ts'
import { Refusal } from './refusal.ts'

/** How a change ended. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  /** Nothing has changed. */
  | { readonly ok: false; readonly error: unknown }

/**
 * Told of the end of a change. `release` lets its events go, which happens at the latest when this returns: a door that has to
 * answer first does so before.
 */
export type Done<T> = (outcome: Outcome<T>, release: () => void) => void

/** Changes that may wait: more are refused. */
const MAX_WAITING = 10_000
/** Changes in one transaction; others get their turn between two. */
const MAX_BATCH = 256

interface Waiting {
  /** Runs the change, and keeps how it ended. */
  run(): void
  /** Undone with all others of its transaction. */
  fail(error: unknown): void
  /** Tells. */
  finish(): void
  readonly failed: boolean
}

const busy = (): Refusal => new Refusal('UNAVAILABLE', 'Too much is being written')

/**
 * Everything that changes the world. Changes that come in one turn of the event loop share a transaction, each undone on its
 * own where it fails, so that one write to the disk confirms them all. A change is a synchronous function that keeps what it
 * knows in the database: it may run twice. Its events leave when it is on the disk, in order.
 */
export class Changes {
  readonly #db: Database
  readonly #numbers: Numbers
  readonly #events: Events
  readonly #waiting: Waiting[] = []
  /** Those of the change that runs; null outside of one. */
  #emitted: WorldEvent[] | null = null
  #scheduled = false
  readonly #save: () => void
  readonly #undo: () => void
  readonly #keep: () => void

  constructor(db: Database, numbers: Numbers, events: Events) {
    this.#db = db
    this.#numbers = numbers
    this.#events = events
    this.#save = db.command('SAVEPOINT change')
    this.#undo = db.command('ROLLBACK TO change')
    this.#keep = db.command('RELEASE change')
  }

  /** Changes that have not ended. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** For what a change does: told when it is on the disk. */
  emit(event: WorldEvent): void {
    if (this.#emitted === null) throw new Error('Only a change causes events')
    this.#emitted.push(event)
  }

  /** Runs `change` soon. What it throws is its outcome. */
  submit<T>(change: () => T, done: Done<T>): void {
    if (this.#waiting.length >= MAX_WAITING) return done({ ok: false, error: busy() }, () => {})
    this.#waiting.push(this.#toWaiting(change, done))
    this.#schedule()
  }

  /** The same, with its events gone before the promise resolves. */
  run<T>(change: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.submit(change, (outcome, release) => {
        release()
        if (outcome.ok) resolve(outcome.value)
        else reject(outcome.error instanceof Error ? outcome.error : new Error(String(outcome.error)))
      })
    })
  }

  #toWaiting<T>(change: () => T, done: Done<T>): Waiting {
    /** Null: it has not run. */
    let outcome: Outcome<T> | null = null
    let events: WorldEvent[] = []
    const release = (): void => {
      const those = events
      events = []
      for (const event of those) this.#events.tell(event)
    }
    return {
      get failed() {
        return outcome?.ok === false
      },
      run: () => {
        this.#emitted = []
        try {
          outcome = { ok: true, value: change() }
          events = this.#emitted
        } catch (error) {
          outcome = { ok: false, error }
          events = []
        }
        this.#emitted = null
      },
      fail: (error) => {
        // What has failed for itself, has failed for that.
        if (outcome?.ok !== false) outcome = { ok: false, error }
        events = []
      },
      finish: () => {
        try {
          if (outcome !== null) done(outcome, release)
        } finally {
          release()
        }
      },
    }
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // What is on its way already comes in the turn between, and goes along.
    setImmediate(() =>
      setImmediate(() => {
        this.#scheduled = false
        this.flush()
        if (this.#waiting.length > 0) this.#schedule()
      }),
    )
  }

  /** Runs what waits, one transaction of it. */
  flush(): void {
    if (this.#emitted !== null) throw new Error('A change does not wait for others')
    const batch = this.#waiting.splice(0, MAX_BATCH)
    if (batch.length === 0) return
    const mark = this.#numbers.mark
    try {
      this.#write(batch, mark)
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      this.#numbers.mark = mark
      this.#events.failed('Cannot write', error)
      for (const change of batch) change.fail(new Refusal('UNAVAILABLE', 'Cannot be stored at the moment'))
    }
    for (const change of batch) {
      try {
        change.finish()
      } catch (error) {
        this.#events.failed('A listener failed', error)
      }
    }
  }

  #write(batch: readonly Waiting[], before: Mark): void {
    if (this.#tryAll(batch, before, false)) return
    this.#db.exec('ROLLBACK')
    this.#numbers.mark = before
    this.#tryAll(batch, before, true)
  }

  /**
   * In one transaction. To be undone by itself a change needs a savepoint, which costs as much as half a change; almost all that
   * fail have written nothing yet. False: one has, and there was no savepoint.
   */
  #tryAll(batch: readonly Waiting[], before: Mark, saves: boolean): boolean {
    this.#db.exec('BEGIN IMMEDIATE')
    let kept = 0
    let mark = before
    for (const change of batch) {
      const { written } = this.#db
      if (saves) this.#save()
      change.run()
      // Some errors of SQLite, such as a full disk, undo the whole transaction.
      if (!this.#db.inTransaction) throw new Error('The transaction was lost')
      if (change.failed) {
        this.#numbers.mark = mark
        if (saves) this.#undo()
        else if (this.#db.written !== written && batch.length > 1) return false
      } else {
        kept++
        mark = this.#numbers.mark
      }
      if (saves) this.#keep()
    }
    this.#db.exec(kept === 0 ? 'ROLLBACK' : 'COMMIT')
    return true
  }
}
