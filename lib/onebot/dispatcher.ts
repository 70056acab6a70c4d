import { rFailure } from '../websock/log.ts'
import type { Call, Send } from './actions/action.ts'
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
export function dispatch(name: string, params: unknown, call: Call, send: Send): Outcome | Promise<Outcome> {
  const action = findAction(name)
  if (action === undefined) return unknownAction(name)
  if (action.does === 'unsupported') {
    return { retcode: NOT_AVAILABLE, data: null, message: `${name}: not available on this platform` }
  }
  try {
    const result = action.run(params, call, send)
    if (!(result instanceof Promise)) return toDone(result)
    const outcome = result.then(toDone, (error: unknown) => toFailed(name, error))
    return action.streams ? outcome.then(toEnd) : outcome
  } catch (error) {
    const failed = toFailed(name, error)
    return action.streams ? toEnd(failed) : failed
  }
}

/** NapCat says in each part what it is. */
const toEnd = (outcome: Outcome): Outcome => ({
  ...outcome,
  data: outcome.retcode === OK ? outcome.data : { type: 'error', data_type: 'error' },
  streams: true,
})

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
