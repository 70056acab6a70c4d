import { expect } from 'vitest'

/** Matches a time as the gateway tells it. */
export const TIME: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
