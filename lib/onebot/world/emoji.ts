/** `:face76:` is QQ's number 76; another emoji is its code point. */
export function toEmojiId(emoji: string): string {
  const face = /^:face(\d{1,4}):$/.exec(emoji)?.[1]
  return face ?? String(emoji.codePointAt(0) ?? 0)
}

/** Numbers below this are QQ's own. */
const FACES = 5000

/** The emoji of a number; null: there is none. */
export function toEmoji(id: string): string | null {
  const number = /^\d{1,7}$/.test(id) ? Number(id) : NaN
  if (number < FACES) return `:face${number}:`
  return number <= 0x10ffff ? String.fromCodePoint(number) : null
}
