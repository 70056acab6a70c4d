/* What platforms give now or later: what is there now is used at once, so that what comes behind stays behind. */

/** What waits, then what is made of it. */
export function after<T, R>(value: T | Promise<T>, make: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(make) : make(value)
}

/** The same of several. */
export function afterAll<T, R>(values: readonly (T | Promise<T>)[], make: (values: readonly T[]) => R): R | Promise<R> {
  const there = values.filter((value): value is T => !(value instanceof Promise))
  return there.length === values.length ? make(there) : Promise.all(values.map(async (value) => value)).then(make)
}
