import { isTold } from './failure.ts'

/* What platforms give now or later: what is there now is used at once, so that what comes behind stays behind. */

export type Awaitable<T> = T | Promise<T>

/** What waits, then what is made of it. */
export function after<T, R>(value: Awaitable<T>, make: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(make) : make(value)
}

/** The same of several. */
export function afterAll<T, R>(values: readonly Awaitable<T>[], make: (values: readonly T[]) => R): Awaitable<R> {
  const there = values.filter((value): value is T => !(value instanceof Promise))
  return there.length === values.length ? make(there) : Promise.all(values.map(async (value) => value)).then(make)
}

/** What is asked for; null where it is not to be had, in words that clients may be told. Anything else stays an error. */
export function ifThere<T>(ask: () => Awaitable<T>): Awaitable<T | null> {
  try {
    const value = ask()
    return value instanceof Promise ? value.catch(toNone) : value
  } catch (error) {
    return toNone(error)
  }
}

function toNone(error: unknown): null {
  if (isTold(error)) return null
  throw error
}
