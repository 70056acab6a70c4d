import { rFailure } from '../websock/log.ts'
import type { Call } from './actions/action.ts'
import { findAction } from './actions/table.ts'
import { FAILED_INSIDE, type Outcome } from './envelope.ts'
import { BAD_REQUEST, FAILED, Failure, isTold, NOT_AVAILABLE, OK } from './failure.ts'

/* The one way to an action, whichever transport it comes from. */

/** Longer names are cut where they are said again. Characters. */
const MAX_NAME = 100

/** Of an action that nobody knows; HTTP has a status for it. */
export const unknownAction = (name: string | null): Outcome => ({
  retcode: NOT_AVAILABLE,
  data: null,
  message: `不支持的API ${name === null ? 'undefined' : name.slice(0, MAX_NAME)}`,
})

/** Runs an action. Never throws, and never rejects. */
export function dispatch(name: string, params: unknown, call: Call): Outcome | Promise<Outcome> {
  const action = findAction(name)
  if (action === undefined) return unknownAction(name)
  if (action.does === 'unsupported') {
    return { retcode: NOT_AVAILABLE, data: null, message: `${name}: not available on this platform` }
  }
  try {
    const result = action.run(params, call)
    return result instanceof Promise ? result.then(toDone, (error: unknown) => toFailed(name, error)) : toDone(result)
  } catch (error) {
    return toFailed(name, error)
  }
}

const toDone = (data: unknown): Outcome => ({ retcode: OK, data: data ?? null, message: '' })

function toFailed(name: string, error: unknown): Outcome {
  if (error instanceof Failure) return { retcode: error.retcode, data: null, message: error.message }
  if (isTold(error)) return { retcode: FAILED, data: null, message: error.message }
  if (error instanceof RangeError && error.message.includes('call stack')) {
    return { retcode: BAD_REQUEST, data: null, message: 'params: are nested too deeply' }
  }
  rFailure('onebot', `${name} failed`, error)
  return FAILED_INSIDE
}
