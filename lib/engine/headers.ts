import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { HeaderList } from './port.ts'

/** Throws for a name or value that could break out of its line (RFC 9110 §5.5). */
export function validateHeaders(headers: HeaderList): void {
  for (const [name, value] of headers) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
}
