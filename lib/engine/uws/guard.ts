/** An error of ours: as on the node engine, an uncaught exception. */
export function rethrow(error: unknown): void {
  setImmediate(() => {
    throw error
  })
}

/** Calls `fn` from the native code, through which nothing may be thrown: it ends the process without a word. */
export function guard(fn: () => void, onError?: () => void): void {
  try {
    fn()
  } catch (error) {
    onError?.()
    rethrow(error)
  }
}
