/** Why the world does not do what was asked. */
export type RefusalCode =
  /** It does not exist, or whoever asks may not know that it does. */
  | 'NOT_FOUND'
  | 'FORBIDDEN'
  /** Of a member who may not speak for a while. */
  | 'TIMED_OUT'
  | 'BANNED'
  | 'DISABLED'
  /** It does not make sense as things are. */
  | 'INVALID'
  | 'CONFLICT'
  /** There is as much of it as there may be. */
  | 'LIMIT'
  /** Not now: the store cannot be written, or too much waits for it. */
  | 'UNAVAILABLE'

/** What was asked for is refused: nothing has changed. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode

  /** @param message for a person; tells nothing that the code does not */
  constructor(code: RefusalCode, message: string) {
    super(message)
    this.code = code
  }
}

export const notFound = (): Refusal => new Refusal('NOT_FOUND', 'Not found')
export const forbidden = (): Refusal => new Refusal('FORBIDDEN', 'Missing permission')
