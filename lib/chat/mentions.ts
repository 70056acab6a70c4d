/** Whom a text calls by name. */
export interface Called {
  readonly everyone: boolean
  /** In lower case, each once; whether they are members is not known here. */
  readonly names: readonly string[]
}

const NOBODY: Called = { everyone: false, names: [] }

/** Words that begin with '@', without what punctuation there is behind them. */
export function parseMentions(content: string): Called {
  if (!content.includes('@')) return NOBODY
  const words = content
    .split(/\s+/u)
    .filter((word) => word.startsWith('@'))
    .map((word) => trimEnd(word.slice(1)))
    .filter((word) => word !== '')
  const names = words.filter((word) => word !== 'everyone').map((word) => word.toLowerCase())
  return { everyone: words.includes('everyone'), names: [...new Set(names)] }
}

/** From the end, character by character: an expression would look from each place on. */
function trimEnd(word: string): string {
  const characters = Array.from(word)
  const last = characters.findLastIndex((character) => /[\p{L}\p{N}_]/u.test(character))
  return characters.slice(0, last + 1).join('')
}
