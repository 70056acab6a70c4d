import type { Mutation } from './mutations.ts'

/** Makes the rows of a part; `name` is what begins the names of tests that must fail, where others of the file are slow. */
export const rowOf =
  (part: string) =>
  (test: string, trap: string, file: string, from: string, to: string, name?: string): Mutation => ({
    trap: `${part}: ${trap}`,
    file: `lib/${file}`,
    from,
    to,
    test,
    ...(name === undefined ? {} : { name }),
  })
