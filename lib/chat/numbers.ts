import type { Database, Param } from './store/database.ts'
import { Refusal } from './refusal.ts'

/** What is numbered, and where that begins: bots expect numbers of users and groups to have five digits. */
const FIRST = { user: 10_001, channel: 10_001, message: 1 } as const
export type Numbered = keyof typeof FIRST

/** Taken from the store at once. */
const BLOCK = 1000
/** What a 32-bit client can read. */
const LAST = 2 ** 31 - 1

interface Range {
  readonly next: number
  readonly end: number
}
export type Mark = Readonly<Record<Numbered, Range>>

const NONE: Range = { next: 0, end: 0 }

/** Numbers that are never given twice, also when what they were given to is deleted. Gaps there may be. */
export class Numbers {
  readonly #read: (values: { name: string }) => { value: number } | undefined
  readonly #write: (values: { name: string; value: number }) => number
  #ranges: Mark = { user: NONE, channel: NONE, message: NONE }

  constructor(db: Database) {
    this.#read = db.first((q, p: Param<{ name: string }>) =>
      q.selectFrom('counters').select('value').where('name', '=', p('name')),
    )
    this.#write = db.run((q, p: Param<{ name: string; value: number }>) =>
      q
        .insertInto('counters')
        .values({ name: p('name'), value: p('value') })
        .onConflict((on) => on.column('name').doUpdateSet({ value: p('value') })),
    )
  }

  /** What to go back to when the change that takes numbers is undone. */
  get mark(): Mark {
    return this.#ranges
  }

  set mark(mark: Mark) {
    this.#ranges = mark
  }

  /** Inside a change. */
  take(name: Numbered): number {
    const range = this.#ranges[name]
    const { next, end } = range.next < range.end ? range : this.#reserve(name)
    this.#ranges = { ...this.#ranges, [name]: { next: next + 1, end } }
    return next
  }

  #reserve(name: Numbered): Range {
    const next = this.#read({ name })?.value ?? FIRST[name]
    if (next > LAST) throw new Refusal('UNAVAILABLE', `There are no numbers left for another ${name}`)
    const end = Math.min(next + BLOCK, LAST + 1)
    this.#write({ name, value: end })
    return { next, end }
  }
}
