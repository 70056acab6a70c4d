import type { Declared, Link } from '../../chat/presence.ts'
import type { World } from '../../chat/world.ts'

/** A bot is there for others as long as somebody uses it. */
export class Attendance {
  readonly #world: World
  readonly #bot: string
  /** Those who use it. */
  #users = 0
  #link: Link | null = null
  #declared: Declared = 'online'

  constructor(world: World, bot: string) {
    this.#world = world
    this.#bot = bot
  }

  attach(): () => void {
    if (this.#users++ === 0) {
      this.#link = this.#world.presence.attach(this.#bot)
      this.#link.declare(this.#declared)
    }
    let attached = true
    return () => {
      if (!attached) return
      attached = false
      if (--this.#users > 0) return
      this.#link?.detach()
      this.#link = null
    }
  }

  /** How it is there, from now on, and whenever it comes again. */
  declare(status: Declared): void {
    this.#declared = status
    this.#link?.declare(status)
  }
}
