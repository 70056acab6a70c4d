import { validateHeaderName, validateHeaderValue } from 'node:http'

/** Throws for a name or value that could break out of its line (RFC 9110 §5.5). */
export function validateHeaders(headers: readonly (readonly [name: string, value: string])[]): void {
  for (const [name, value] of headers) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
}
