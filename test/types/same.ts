/*
 * Statements about types, checked by `npm run typecheck`: nothing in this folder but the test of exports runs. What must
 * not compile stands under an "expect error" line of the compiler, which is an error itself once the code below it compiles.
 */

// The compiler compares two such functions by identity; that a parameter is used once is the point of them.
/* oxlint-disable typescript/no-unnecessary-type-parameters */

/** Whether two types are the same, which is more than assignable both ways. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles for `true` only: `is<Same<typeof x, string>>()`. */
export const is = <_Statement extends true>(): void => {}
