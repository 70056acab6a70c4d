/** `:face76:` is QQ's number 76; another emoji is its code point. */
export function toEmojiId(emoji: string): string {
  const face = /^:face(\d{1,4}):$/.exec(emoji)?.[1]
  return face ?? String(emoji.codePointAt(0) ?? 0)
}
