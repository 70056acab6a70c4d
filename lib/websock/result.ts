/**
 * What `webSocketRun` returns. A promise and what resolves it are three objects; most servers never look at them, and
 * they would be a fifth of what an idle connection costs: here they are made when somebody asks.
 */
export class RunResult implements Promise<number> {
  #value: number | null = null
  #promise: Promise<number> | null = null
  #resolve: ((value: number) => void) | null = null

  get [Symbol.toStringTag](): string {
    return 'Promise'
  }

  is(value: unknown): boolean {
    return value === this
  }

  /** Whether the run has not ended. */
  get pending(): boolean {
    return this.#value === null
  }

  /** Ends the run, the first time that it is called. */
  settle(value: number): void {
    if (this.#value !== null) return
    this.#value = value
    this.#resolve?.(value)
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
    this.#promise ??= new Promise((resolve) => {
      if (this.#value === null) this.#resolve = resolve
      else resolve(this.#value)
    })
    return this.#promise
  }
}

// `instanceof Promise` holds, as for any promise.
Object.setPrototypeOf(RunResult.prototype, Promise.prototype)
