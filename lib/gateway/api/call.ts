import { UUID } from '../../chat/ids.ts'
import type { Page } from '../../chat/page.ts'
import { Refusal } from '../../chat/refusal.ts'
import { Unauthorized } from '../accounts.ts'
import type { Caller } from '../tokens.ts'
import type { Call } from './router.ts'

/** What an id that is none is answered with. */
export class BadId extends Error {
  override readonly name = 'BadId'
}

/** Who calls; for routes that are not public. */
export function callerOf({ caller }: Call<unknown>): Caller {
  if (caller === null) throw new Unauthorized('Unauthorized')
  return caller
}

/** The id of whoever calls. */
export const userOf = (call: Call<unknown>): string => callerOf(call).user.id

/** A variable part of the path, which is an id unless it is called otherwise. */
export function idOf({ params }: Call<unknown>, name = 'id'): string {
  const part = params[name]
  if (part === undefined) throw new Error(`The path has no :${name}`)
  return part
}

/** An id that a client gives, in lower case. */
export function toId(given: string): string {
  const id = given.toLowerCase()
  if (!UUID.test(id)) throw new BadId('Not an id')
  return id
}

/** The same of what may be left out. */
export const toIdOrNull = (given: string | null | undefined): string | null =>
  given === undefined || given === null ? null : toId(given)

const PAGE = 50
const MAX_PAGE = 100

/** How many of a list are asked for: brought within what there is. */
export function limitOf({ query }: Call<unknown>, byDefault = PAGE, most = MAX_PAGE): number {
  const given = query.get('limit')
  if (given === null) return byDefault
  if (!/^-?\d+$/.test(given)) throw new Refusal('INVALID', 'limit is a whole number')
  return Math.min(Math.max(Number(given), 1), most)
}

export function pageOf(call: Call<unknown>): Page {
  const { query } = call
  const cursor = (name: string): string | null => {
    const given = query.get(name)
    return given === null ? null : toId(given)
  }
  const [before, after] = [cursor('before'), cursor('after')]
  if (before !== null && after !== null) throw new Refusal('INVALID', 'before and after exclude each other')
  return { before, after, limit: limitOf(call) }
}
