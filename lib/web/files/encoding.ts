/** Encodings that may lie beside a file, the best first. */
export const ENCODINGS = [
  { name: 'br', extension: '.br' },
  { name: 'gzip', extension: '.gz' },
] as const

/** Whether an `Accept-Encoding` takes an encoding (RFC 9110 §12.5.3): named, or by '*', with a weight above 0. */
export function accepts(header: string | undefined, encoding: string): boolean {
  let any = false
  for (const part of (header ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim())
    const weight = parameters.find((text) => text.startsWith('q='))?.slice(2) ?? '1'
    const taken = Number(weight) > 0
    if (name === encoding) return taken
    if (name === '*') any = taken
  }
  return any
}
