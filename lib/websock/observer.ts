import type { Observer } from './context.ts'
import { rError } from './log.ts'

/** Puts what happens in the layer into the log. */
export const logObserver: Observer = {
  callbackFailed: (_ws, event, error) =>
    rError('websock', 'Callback failed in event %d: %s', event, error instanceof Error ? error.stack : error),
  warn: (message) => rError('websock', '%s', message),
}
