import type { Web } from '../../include-types/web.ts'
import { isLength, validateHeaders } from '../rfc9110.ts'
import { R_ERR_BAD_ARGS, R_ERR_BAD_STATE, R_ERR_WONT_FIT, R_ERR_WOULD_BLOCK } from '../websock/constants.ts'
import { format } from '../websock/format.ts'
import { answer } from './answer.ts'
import type { Response } from './response.ts'
import { Request } from './web.ts'

/** What programs answer requests with. All return 0 or a negative code, and never throw. */

/** The response of a request that can still be answered; else the code. */
function open(web: Web): Response | number {
  if (!(web instanceof Request)) return R_ERR_BAD_ARGS
  const { response } = web
  return response === null || response.done ? R_ERR_BAD_STATE : response
}

/** The same, where not even its status is on its way. */
function fresh(web: Web): Response | number {
  const response = open(web)
  return typeof response === 'object' && response.started ? R_ERR_BAD_STATE : response
}

const isStatus = (status: number): boolean => Number.isInteger(status) && status >= 200 && status <= 599

/** Status of the answer that `webWrite` begins; 200 unless it is set. -6 for none from 200 to 599, -14 when it is too late. */
export function webSetStatus(web: Web, status: number): number {
  const response = fresh(web)
  if (typeof response === 'number') return response
  if (!isStatus(status)) return R_ERR_BAD_ARGS
  response.setStatus(status)
  return 0
}

/** A header of the answer, in place of one of the same name. -6 for what could break out of its line, -14 when it is too late. */
export function webAddHeader(web: Web, name: string, value: string): number {
  const response = fresh(web)
  if (typeof response === 'number') return response
  try {
    validateHeaders([[name, value]])
  } catch {
    return R_ERR_BAD_ARGS
  }
  // Where the answer ends is not for two to say.
  if (isLength([name, value]) && !/^\d+$/.test(value)) return R_ERR_BAD_ARGS
  if (name.toLowerCase() === 'transfer-encoding') return R_ERR_BAD_ARGS
  response.add([[name, value]])
  return 0
}

/**
 * Sends a part of the body, behind the header if that has not left yet.
 *
 * @returns bytes accepted; -41 when the peer has not read what was written before: nothing was written, `webFlush` waits
 *   for it; -40 for more than its Content-Length has left; -6 for anything but text and bytes; -14 when the answer is complete or the peer has gone
 */
export function webWrite(web: Web, data: string | Uint8Array): number {
  const response = open(web)
  if (typeof response === 'number') return response
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) return R_ERR_BAD_ARGS
  if (response.waits) return R_ERR_WOULD_BLOCK
  const length = Buffer.byteLength(data)
  if (length > response.left) return R_ERR_WONT_FIT
  response.write(data)
  return length
}

/** Resolves with 0 when the peer has taken what was written, with -14 when the answer is complete or the peer has gone. */
export async function webFlush(web: Web): Promise<number> {
  const response = open(web)
  if (typeof response === 'number') return response
  await response.flushed()
  return response.done ? R_ERR_BAD_STATE : 0
}

/** The end of the answer. An action that returns has finalized it, and so has one that has written its whole Content-Length. */
export function webFinalize(web: Web): number {
  const response = open(web)
  if (typeof response === 'number') return response
  response.end()
  return 0
}

/** A whole answer, of JSON. -6 for what has none (a function, a cycle), -14 when it is too late. */
export function webWriteJson(web: Web, value: unknown, status = 200): number {
  const response = fresh(web)
  if (typeof response === 'number') return response
  const text = toJson(value)
  if (text === null || !isStatus(status)) return R_ERR_BAD_ARGS
  response.setStatus(status)
  response.add([['Content-Type', 'application/json']])
  response.end(text)
  return 0
}

function toJson(value: unknown): string | null {
  try {
    // What JSON has no word for has no text, whatever its type says.
    const text: string | undefined = JSON.stringify(value)
    return text ?? null
  } catch {
    return null
  }
}

/** A whole answer, of text that is formatted as printf does. -6 for a status that is none, -14 when it is too late. */
export const webWriteResponse = (web: Web, status: number, fmt: string, ...args: unknown[]): number =>
  webWriteResponseString(web, status, format(fmt, args))

/** A whole answer, of text as it is. */
export function webWriteResponseString(web: Web, status: number, text: string): number {
  const response = fresh(web)
  if (typeof response === 'number') return response
  if (!isStatus(status)) return R_ERR_BAD_ARGS
  response.give(answer(status, text))
  return 0
}

/** An error as the whole answer, in place of what was to be sent; once a part has left, the connection is dropped. */
export function webError(web: Web, status: number, fmt: string, ...args: unknown[]): number {
  const response = open(web)
  if (typeof response === 'number') return response
  if (!Number.isInteger(status) || status < 400 || status > 599) return R_ERR_BAD_ARGS
  if (response.started) response.abort()
  else response.give(answer(status, format(fmt, args)))
  return 0
}

/** Sends the browser elsewhere: 301, 302, 303, 307 or 308. -6 for another status, and for what is no header. */
export function webRedirect(web: Web, status: number, location: string): number {
  const response = fresh(web)
  if (typeof response === 'number') return response
  if (![301, 302, 303, 307, 308].includes(status) || webAddHeader(web, 'Location', location) !== 0)
    return R_ERR_BAD_ARGS
  response.give(answer(status))
  return 0
}
