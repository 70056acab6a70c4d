import { afterEach } from 'vitest'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { patiently } from './patience.ts'

afterEach(() => rSetLogSink(null))

/** Nothing is logged until the test is over. */
export const hush = (): void => rSetLogSink(() => {})

/** The log from now on, until the test is over. */
export class LogLines {
  readonly lines: string[] = []
  #wake: (() => void)[] = []

  constructor() {
    rSetLogSink((_level, source, message) => {
      // The suite has all hosts log their connections.
      if (source === 'conn') return
      this.lines.push(`${source} ${message}`)
      const wake = this.#wake
      this.#wake = []
      for (const fn of wake) fn()
    })
  }

  /** Takes everything up to and with a line that matches. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const at = this.lines.findIndex((line) => pattern.test(line))
      if (at !== -1) return this.lines.splice(0, at + 1).at(-1) ?? ''
      const news = new Promise<void>((resolve) => this.#wake.push(resolve))
      await patiently(news, () => `no ${pattern} in ${this.lines.join('\n')}`)
    }
  }
}
