/** Texts that are kept, and the characters of the longest. */
const [COUNT, LONGEST] = [1024, 512]
const texts = new Map<string, string>()

/**
 * One copy of texts that are equal. Connections keep short ones for as long as they live, and those that come from one
 * proxy, one page or one kind of client have most of them in common.
 */
export function intern(text: string): string {
  if (text.length > LONGEST) return text
  const known = texts.get(text)
  if (known !== undefined) return known
  // Where nothing is in common, nothing is lost.
  if (texts.size === COUNT) texts.clear()
  texts.set(text, text)
  return text
}
