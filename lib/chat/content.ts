import { MAX_CONTENT } from './limits.ts'
import { Refusal } from './refusal.ts'

/** U+0000 and halves of surrogate pairs, which a store or a peer may cut off or change. */
export const isClean = (text: string): boolean => !/[\0\p{Surrogate}]/u.test(text)

/** Code points; stops counting behind `limit`. */
export function isWithin(text: string, limit: number): boolean {
  if (text.length <= limit) return true
  if (text.length > 2 * limit) return false
  let count = 0
  for (const _ of text) if (++count > limit) return false
  return true
}

/** What may be said: throws INVALID for anything else. With files there may be nothing. */
export function checkContent(content: string, files: readonly string[] = []): void {
  if (content === '' && files.length > 0) return
  if (!/\S/u.test(content)) throw new Refusal('INVALID', 'A message needs content')
  if (!isWithin(content, MAX_CONTENT)) throw new Refusal('INVALID', `A message has ${MAX_CONTENT} characters at most`)
  if (!isClean(content)) throw new Refusal('INVALID', 'A message is well-formed text without U+0000')
}
