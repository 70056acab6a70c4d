/** Whether a value is waited for. A getter named `then` may throw: call it inside the guard of what returned the value. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  value !== undefined &&
  value !== null &&
  (typeof value === 'object' || typeof value === 'function') &&
  'then' in value &&
  typeof value.then === 'function'
