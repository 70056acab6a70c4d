type End = () => void | Promise<void>

/** What is to be let go of at the end: what came last first. */
export class Ends {
  #all: End[] = []

  add(end: End): void {
    this.#all.push(end)
  }

  async run(): Promise<void> {
    const all = this.#all.toReversed()
    this.#all = []
    for (const end of all) await end()
  }
}
