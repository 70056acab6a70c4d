import type { Crew, Member } from './crew.ts'

/** Answers of the members to one question. */
export class Round<T> {
  readonly answers = new Map<Member, T>()
  /** Resolves when all have answered who can. */
  readonly done: Promise<void>
  #resolve: () => void = () => {}
  readonly #crew: Crew
  /** The processes that were asked: whoever comes later was not. */
  readonly #asked: ReadonlyMap<Member, unknown>

  /** @param of those who are asked */
  constructor(crew: Crew, of: readonly Member[] = crew.listeners) {
    this.#crew = crew
    this.#asked = new Map(of.map((member) => [member, member.worker]))
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  answer(member: Member, value: T): void {
    this.answers.set(member, value)
    this.look()
  }

  /** Who has gone does not answer. */
  look(): void {
    const { members } = this.#crew
    const isOut = (member: Member): boolean => member.worker === null || member.worker !== this.#asked.get(member)
    if (members.every((member) => isOut(member) || this.answers.has(member))) this.#resolve()
  }

  find(test: (answer: T) => boolean): T | undefined {
    return [...this.answers.values()].find(test)
  }
}
