import type { UrlError } from '../../../include-types/client.ts'
import type { DialFailure } from '../../engine/port.ts'
import {
  R_ERR_BAD_ARGS,
  R_ERR_BAD_RESPONSE,
  R_ERR_CANT_COMPLETE,
  R_ERR_CANT_CONNECT,
  R_ERR_TIMEOUT,
} from '../constants.ts'

/** Why there is no connection. */
export class ClientError extends Error implements UrlError {
  override readonly name = 'UrlError'
  readonly code: number
  readonly status: number
  readonly headers: UrlError['headers']
  readonly body: string

  constructor(code: number, message: string, answer: Partial<DialFailure> = {}) {
    super(message)
    this.code = code
    this.status = answer.status ?? 0
    this.headers = answer.headers ?? {}
    this.body = answer.body ?? ''
  }
}

export const badArgument = (message: string): ClientError => new ClientError(R_ERR_BAD_ARGS, message)

export const timedOut = (ms: number): ClientError => new ClientError(R_ERR_TIMEOUT, `No connection within ${ms} ms`)

export const aborted = (): ClientError => new ClientError(R_ERR_CANT_COMPLETE, 'Aborted')

export const dialFailed = (failure: DialFailure): ClientError =>
  new ClientError(failure.cause === 'connect' ? R_ERR_CANT_CONNECT : R_ERR_BAD_RESPONSE, failure.message, failure)
