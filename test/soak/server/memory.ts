import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Figures } from '../messages.ts'

/** Milliseconds between two looks. */
const PERIOD = 50

/** Resident, of it JavaScript heap and what lies outside, behind collections. */
export async function memory(): Promise<Figures> {
  // Finalizers run between collections, and what they free is there for the next one.
  for (let i = 0; i < 5; i++) {
    await gc?.({ type: 'major', execution: 'async' })
    await sleep(20)
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external }
}

/** The kernel's own peak, since `forget`: it sees what comes and goes between two looks. 0 where there is none. */
function highWater(): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** False where the kernel's peak cannot be set back. */
function forget(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
    return true
  } catch {
    return false
  }
}

/** The most that there was. */
export class Watch {
  readonly #queued: () => number
  #timer: NodeJS.Timeout | null = null
  #fromKernel = false
  #rss = 0
  #most = 0

  /** @param queued bytes that wait to be sent. */
  constructor(queued: () => number) {
    this.#queued = queued
  }

  start(): void {
    this.stop()
    this.#rss = this.#most = 0
    this.#fromKernel = forget()
    this.#look()
    this.#timer = setInterval(() => this.#look(), PERIOD)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** RSS: the greater of what was seen and what the kernel has seen. */
  get figures(): Figures {
    const kernel = this.#fromKernel ? highWater() : 0
    return { peak: Math.max(this.#rss, kernel), seen: this.#rss, queued: this.#most }
  }

  #look(): void {
    this.#rss = Math.max(this.#rss, process.memoryUsage.rss())
    this.#most = Math.max(this.#most, this.#queued())
  }
}
