import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { Refusal } from '../chat/refusal.ts'

/** What scrypt takes (RFC 7914 §2). */
export interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** 32 MiB and some 0.1 s. What was hashed at another cost is hashed again at the next login. */
const COST: Cost = { N: 32_768, r: 8, p: 3 }
const maxmem = 128 * 1024 * 1024
const [SALT, LENGTH] = [16, 32]
const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{10,})\$([A-Za-z0-9+/]{10,})$/

/** Hashed at once; more wait, and beyond that they are turned away: each takes memory and a thread. */
const [AT_ONCE, MAX_WAITING] = [4, 64]

const derive = promisify<string, Buffer, number, Cost & { maxmem: number }, Buffer>(scrypt)
const encode = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

/** Hashes passwords, away from the event loop. */
export class Passwords {
  readonly #cost: Cost
  #running = 0
  readonly #waiting: (() => void)[] = []
  /** Compared with where there is no such user: as dear as any. */
  #dummy: Promise<string> | null = null

  constructor(cost = COST) {
    this.#cost = cost
  }

  /** As a PHC string. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT)
    const key = await this.#derive(password, salt, LENGTH, this.#cost)
    return `${this.#prefix}${encode(salt)}$${encode(key)}`
  }

  /** Whether a password is the one that was hashed. Null: there is nothing to compare with, which takes as long. */
  async matches(password: string, hash: string | null): Promise<boolean> {
    this.#dummy ??= this.hash(randomBytes(SALT).toString('hex'))
    const given = PHC.exec(hash ?? (await this.#dummy))
    if (given === null) throw new Error('A stored password hash is not one of ours')
    const [, ln = '', r = '', p = '', salt = '', key = ''] = given
    const expected = Buffer.from(key, 'base64')
    const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) }
    const found = await this.#derive(password, Buffer.from(salt, 'base64'), expected.length, cost)
    return timingSafeEqual(found, expected) && hash !== null
  }

  /** Whether a hash is not like those that are made now. */
  isOutdated(hash: string): boolean {
    return !hash.startsWith(this.#prefix)
  }

  get #prefix(): string {
    const { N, r, p } = this.#cost
    return `$scrypt$ln=${Math.log2(N)},r=${r},p=${p}$`
  }

  async #derive(password: string, salt: Buffer, length: number, cost: Cost): Promise<Buffer> {
    if (this.#waiting.length >= MAX_WAITING) throw new Refusal('UNAVAILABLE', 'Too many logins at once')
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      // However it is typed (RFC 8265 §4.2.2 has NFC, too).
      return await derive(password.normalize('NFC'), salt, length, { ...cost, maxmem })
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
