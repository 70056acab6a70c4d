/** A small generator of repeatable random numbers (sfc32). Nothing secret comes from it. */
export class Random {
  #a: number
  #b: number
  #c: number
  #count = 1

  private constructor(a: number, b: number, c: number) {
    this.#a = a | 0
    this.#b = b | 0
    this.#c = c | 0
    for (let i = 0; i < 12; i++) this.uint32()
  }

  /** The numbers of one input of a run: each input has its own, so that it can be made again alone. */
  static of(seed: number, index: number): Random {
    return new Random(seed, index, 0x9e3779b9)
  }

  /** The numbers that go with an input, so that its bytes alone tell all that is done with it. */
  static from(bytes: Uint8Array): Random {
    let hash = 0x811c9dc5
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
    return new Random(hash, bytes.length, 0x85ebca6b)
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#count++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** 0 to n - 1 */
  below(n: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * n)
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  chance(p: number): boolean {
    return this.uint32() / 0x1_0000_0000 < p
  }

  /** `list` must not be empty. */
  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0]
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let i = 0; i < length; i++) bytes[i] = this.uint32() >>> 24
    return bytes
  }
}
