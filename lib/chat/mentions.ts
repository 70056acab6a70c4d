import type { Access } from './access.ts'
import { MAX_MENTIONS } from './limits.ts'
import type { Users } from './users.ts'

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

/** Whom messages call. */
export class Mentions {
  readonly #access: Access
  readonly #users: Users

  constructor(access: Access, users: Users) {
    this.#access = access
    this.#users = users
  }

  /** Members who can see the channel; others are not called, however they are named. */
  find(content: string, channel: string, server: string): { readonly everyone: boolean; readonly users: string[] } {
    const { everyone, names } = parseMentions(content)
    if (names.length === 0) return { everyone, users: [] }
    const users: string[] = []
    for (const id of this.#users.findMembers(names, server)) {
      if (users.length === MAX_MENTIONS) break
      if (this.#access.see(id, channel) !== null) users.push(id)
    }
    return { everyone, users: users.toSorted() }
  }
}
