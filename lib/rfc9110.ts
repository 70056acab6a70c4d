import { validateHeaderName, validateHeaderValue } from 'node:http'

type HeaderList = readonly (readonly [name: string, value: string])[]

/** Throws for a name or value that could break out of its line (RFC 9110 §5.5). */
export function validateHeaders(headers: HeaderList): void {
  for (const [name, value] of headers) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
}

/** The header of an answer, as engines want it. */
export interface AnswerHeaders {
  /** Its Content-Length; null: none is announced. */
  readonly length: number | null
  /** All others. */
  readonly others: HeaderList
}

/** Lists that are sent again and again. */
const kept = new WeakMap<HeaderList, AnswerHeaders>()

/** Looks at a list that is going to be sent more than once, and never changed. */
export function keepHeaders(headers: HeaderList): HeaderList {
  kept.set(headers, examine(headers))
  return headers
}

/** A list that can be sent. Throws for one that must not. */
export const checkHeaders = (headers: HeaderList): AnswerHeaders => kept.get(headers) ?? examine(headers)

/** The Content-Length of a list; null: none is announced. */
export const contentLength = (headers: HeaderList): number | null => (kept.get(headers) ?? split(headers)).length

function examine(headers: HeaderList): AnswerHeaders {
  validateHeaders(headers)
  return split(headers)
}

function split(headers: HeaderList): AnswerHeaders {
  const own = headers.find(isLength)
  return own === undefined
    ? { length: null, others: headers }
    : { length: Number(own[1]), others: headers.filter((header) => !isLength(header)) }
}

export const isLength = ([name]: HeaderList[number]): boolean =>
  name.length === 14 && name.toLowerCase() === 'content-length'
