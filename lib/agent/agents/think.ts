const OPEN = '<think>'
const CLOSE = '</think>'

/** Takes `<think>…</think>` out of text that comes in pieces. What may be the beginning of a tag is held back. */
export class ThinkFilter {
  #held = ''
  #thinks = false

  /** What of the text so far is not thought. */
  push(piece: string): string {
    let rest = this.#held + piece
    let said = ''
    for (;;) {
      const tag = this.#thinks ? CLOSE : OPEN
      const at = rest.indexOf(tag)
      if (at === -1) break
      if (!this.#thinks) said += rest.slice(0, at)
      this.#thinks = !this.#thinks
      rest = rest.slice(at + tag.length)
    }
    const held = partOf(rest, this.#thinks ? CLOSE : OPEN)
    this.#held = rest.slice(rest.length - held)
    return this.#thinks ? said : said + rest.slice(0, rest.length - held)
  }

  /** What was held back, and is no tag. */
  end(): string {
    const rest = this.#thinks ? '' : this.#held
    this.#held = ''
    return rest
  }
}

/** Characters at the end of a text that a tag begins with. */
function partOf(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(tag.slice(0, length))) return length
  }
  return 0
}
