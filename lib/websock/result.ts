import type { Socket } from './socket.ts'

/** Whether the connection's run has ended. */
export const hasRun = ({ result }: Socket): boolean => typeof result === 'number'

/** Ends the run, the first time that it is called. */
export function settle(ws: Socket, value: number): void {
  const { result } = ws
  if (typeof result === 'number') return
  ws.result = value
  result?.(value)
}

/**
 * What `webSocketRun` returns. A promise and what resolves it are three objects; most servers never look at them, and
 * they would be a fifth of what an idle connection costs: they are made when somebody asks, and until then the
 * connection does not hold this one either.
 */
export class RunResult implements Promise<number> {
  readonly #ws: Socket
  #promise: Promise<number> | null = null

  constructor(ws: Socket) {
    this.#ws = ws
  }

  get [Symbol.toStringTag](): string {
    return 'Promise'
  }

  then<A = number, B = never>(
    onResolved?: ((value: number) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#asked().then(onResolved, onRejected)
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<number | B> {
    return this.#asked().catch(onRejected)
  }

  finally(onSettled?: (() => void) | null): Promise<number> {
    return this.#asked().finally(onSettled)
  }

  #asked(): Promise<number> {
    const ws = this.#ws
    this.#promise ??= new Promise((resolve) => {
      if (typeof ws.result === 'number') resolve(ws.result)
      else ws.result = resolve
    })
    return this.#promise
  }
}

// `instanceof Promise` holds, as for any promise.
Object.setPrototypeOf(RunResult.prototype, Promise.prototype)
