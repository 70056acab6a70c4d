/** What is not seen, or has the rest read backwards. */
const UNSEEN = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu
/** UTF-16 units of a name that are looked at, from its beginning and from its end: no name is as long. */
const LONG = 1000

/** A file's name as somebody says it, without a path in front, and without what is not seen. */
export function toLastPart(given: string): string {
  const last = given.slice(1 + Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')))
  const short = last.length <= 2 * LONG ? last : last.slice(0, LONG) + last.slice(-LONG)
  return short.replaceAll(UNSEEN, '').trim()
}

/** Whether there is nothing in it that would be left out. */
export const isLastPart = (name: string): boolean => !/[/\\]/.test(name) && name.search(UNSEEN) === -1
