import type { Observer } from './context.ts'
import { rError, rFailure } from './log.ts'

/** Puts what happens in the layer into the log. */
export const logObserver: Observer = {
  ended: () => {},
  dropped: () => {},
  callbackFailed: (_ws, event, error) => rFailure('websock', `Callback failed in event ${event}`, error),
  warn: (message) => rError('websock', '%s', message),
}
