import type { Socket } from './socket.ts'

/** Connections that have ended, and whose callback has still to hear of it, or to settle. */
export class Leaving {
  readonly #sockets = new Set<Socket>()
  #waiting: (() => void)[] = []

  add(ws: Socket): void {
    this.#sockets.add(ws)
  }

  delete(ws: Socket): void {
    this.#sockets.delete(ws)
    if (this.#sockets.size > 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  /** Resolves when there is none. */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#sockets.size === 0) resolve()
      else this.#waiting.push(resolve)
    })
  }
}
