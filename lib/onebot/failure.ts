/** Return codes (OneBot 11; NapCat's where the standard has none). */
export const OK = 0
export const BAD_REQUEST = 1400
export const NO_CREDENTIAL = 1401
export const WRONG_CREDENTIAL = 1403
export const NOT_AVAILABLE = 1404
export const FAILED = 1200

export type Retcode =
  typeof OK | typeof BAD_REQUEST | typeof NO_CREDENTIAL | typeof WRONG_CREDENTIAL | typeof NOT_AVAILABLE | typeof FAILED

/** What a client is told of an action that was not done. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly retcode: Retcode

  constructor(retcode: Retcode, message: string) {
    super(message)
    this.retcode = retcode
  }
}

export const badRequest = (message: string): Failure => new Failure(BAD_REQUEST, message)

/** Why an action fails, in go-cqhttp's words: what clients know. */
export type Reason =
  | 'GROUP_NOT_FOUND'
  | 'MEMBER_NOT_FOUND'
  | 'USER_NOT_FOUND'
  | 'FRIEND_NOT_FOUND'
  | 'MESSAGE_NOT_FOUND'
  | 'EMPTY_MSG_ERROR'
  | 'SEND_MSG_API_ERROR'
  | 'EMPTY_NODES'
  | 'CANNOT_RECALL_FRIEND_MSG'
  | 'RECALL_API_ERROR'
  | 'PERMISSION_DENIED'
  | 'NOT_MANAGEABLE'
  | 'DURATION_IS_NOT_IN_RANGE'
  | 'FLAG_NOT_FOUND'
  | 'FLAG_HAS_BEEN_CHECKED'
  | 'FILE_NOT_FOUND'
  | 'FILE_SYSTEM_API_ERROR'
  | 'OPEN_FILE_ERROR'
  | 'LOAD_FILE_ERROR'
  | 'DOWNLOAD_FILE_ERROR'
  | 'IMAGE_NOT_FOUND'
  | 'LIMIT_REACHED'
  | 'TRY_AGAIN_LATER'

/** What a platform throws. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError'
  readonly code: Reason

  /** @param why for a person, behind the word */
  constructor(code: Reason, why = '') {
    super(why === '' ? code : `${code}: ${why}`)
    this.code = code
  }
}

/** A word in capitals: what may be told. Of anything else that is thrown, such as errors of node, a client hears nothing. */
export const isTold = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^(?!ERR_|SQLITE_)[A-Z]+(?:_[A-Z]+)+$/.test(error.code)
