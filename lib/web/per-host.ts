import type { Host } from './host.ts'

/** Something that the handlers of a host share: made when the first needs it, let go of when the host has ended. */
export class PerHost<T> {
  readonly #made = new WeakMap<Host, { readonly value: T }>()
  readonly #make: (host: Host) => T
  readonly #close: (value: T) => void | Promise<void>

  constructor(make: (host: Host) => T, close: (value: T) => void | Promise<void>) {
    this.#make = make
    this.#close = close
  }

  of(host: Host): T {
    const known = this.#made.get(host)
    if (known !== undefined) return known.value
    const value = this.#make(host)
    this.#made.set(host, { value })
    host.ends.add(() => {
      this.#made.delete(host)
      return this.#close(value)
    })
    return value
  }
}
