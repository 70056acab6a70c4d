type Headers = Readonly<Record<string, string>>

/** What tells one state of a file from another. */
export interface Validators {
  /** Strong, in its quotes. */
  readonly etag: string
  /** Milliseconds. */
  readonly modified: number
}

/** HTTP dates have seconds. */
const toSecond = (ms: number): number => Math.floor(ms / 1000) * 1000

/** Whether the client has this state already: 304 (RFC 9110 §13.1.2, §13.1.3). */
export function isKnown(headers: Headers, { etag, modified }: Validators): boolean {
  const tags = headers['if-none-match']
  // Weak comparison; a list of tags is stronger than a date.
  if (tags !== undefined)
    return tags.trim() === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
  if (headers['if-modified-since'] === undefined) return false
  const since = Date.parse(headers['if-modified-since'])
  return !Number.isNaN(since) && toSecond(modified) <= since
}

/** Whether the client wants another state than this: 412 (RFC 9110 §13.1.1, §13.1.4). */
export function isUnwanted(headers: Headers, { etag, modified }: Validators): boolean {
  const tags = headers['if-match']
  // Strong comparison; a list of tags is stronger than a date.
  if (tags !== undefined) return tags.trim() !== '*' && !tags.split(',').some((tag) => tag.trim() === etag)
  if (headers['if-unmodified-since'] === undefined) return false
  return toSecond(modified) > Date.parse(headers['if-unmodified-since'])
}

/** Whether a range may be answered with a part: `If-Range` is not there, or names this state (§13.1.5). */
export function mayBePart(headers: Headers, { etag, modified }: Validators): boolean {
  const state = headers['if-range']?.trim()
  if (state === undefined) return true
  return state.startsWith('"') ? state === etag : Date.parse(state) === toSecond(modified)
}
