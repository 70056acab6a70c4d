/** Bytes from `start` to `end`, which is the last one. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** More than these are too many to be meant well. */
const MAX_RANGES = 16

/**
 * What a `Range` header asks of `size` bytes (RFC 9110 §14.2): null for the whole, which is also what a header that makes
 * no sense gets; an empty list where none of it is there.
 */
export function parseRange(header: string | undefined, size: number): Range[] | null {
  if (header === undefined) return null
  const [, list] = /^bytes=(.*)$/i.exec(header) ?? []
  if (list === undefined) return null
  const ranges: Range[] = []
  const specs = list
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
  if (specs.length === 0 || specs.length > MAX_RANGES) return null
  for (const spec of specs) {
    const [, from = '', to = ''] = /^(\d*)-(\d*)$/.exec(spec) ?? []
    if (from === '' && to === '') return null
    if (from !== '' && to !== '' && Number(from) > Number(to)) return null
    const start = from === '' ? Math.max(0, size - Number(to)) : Number(from)
    const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
    if (start <= end) ranges.push({ start, end })
  }
  return ranges
}
