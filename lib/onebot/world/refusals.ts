import { Refusal, type RefusalCode } from '../../chat/refusal.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError, type Reason } from '../failure.ts'

/** What a bot is told of what the world refuses; `missing`: of what is not there. */
const REASONS: Readonly<Record<Exclude<RefusalCode, 'NOT_FOUND'>, Reason>> = {
  FORBIDDEN: 'PERMISSION_DENIED',
  TIMED_OUT: 'SEND_MSG_API_ERROR',
  BANNED: 'PERMISSION_DENIED',
  DISABLED: 'PERMISSION_DENIED',
  INVALID: 'SEND_MSG_API_ERROR',
  CONFLICT: 'PERMISSION_DENIED',
  LIMIT: 'LIMIT_REACHED',
  UNAVAILABLE: 'TRY_AGAIN_LATER',
}

export function toReason(error: unknown, missing: Reason, invalid: Reason = 'SEND_MSG_API_ERROR'): unknown {
  if (!(error instanceof Refusal)) return error
  const { code, message } = error
  if (code === 'NOT_FOUND') return new PlatformError(missing)
  return new PlatformError(code === 'INVALID' ? invalid : REASONS[code], message)
}

/** Changes the world, and says in a bot's words what it refuses. */
export async function changing<T>(world: World, missing: Reason, change: () => T, invalid?: Reason): Promise<T> {
  try {
    return await world.changes.run(change)
  } catch (error) {
    throw toReason(error, missing, invalid)
  }
}

/** Asks the world, and says in a bot's words what it refuses. */
export function asking<T>(missing: Reason, ask: () => T): T {
  try {
    return ask()
  } catch (error) {
    throw toReason(error, missing)
  }
}
