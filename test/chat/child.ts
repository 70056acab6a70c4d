import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { patiently } from '../support/patience.ts'

const root = join(import.meta.dirname, '../..')

/** A program of these tests in a process of its own, which does not outlive its test. */
export class Child {
  readonly #child: ChildProcess
  readonly lines: string[] = []
  #err = ''
  readonly #ended: Promise<unknown>
  #heard = (): void => {}

  constructor(program: string, ...args: readonly string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => {
      this.lines.push(line)
      this.#heard()
    })
    child.stderr.on('data', (chunk: Buffer) => (this.#err += chunk.toString()))
    const read = new Promise((resolve) => lines.once('close', resolve))
    const gone = new Promise((resolve) => child.once('close', resolve))
    this.#ended = Promise.all([read, gone])
  }

  /** Until it has said so many lines. Throws where it ends before. */
  async says(count: number): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.#heard = () => {
        if (this.lines.length >= count) resolve()
      }
      this.#heard()
    })
    await patiently(Promise.race([heard, this.#ended]), () => `${this.lines.length} lines of ${count}`)
    if (this.lines.length < count) throw new Error(`ended: ${this.#err}`)
  }

  /** As the system does it: nothing of it runs any more. What it had said before is in `lines`. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await patiently(this.#ended, () => 'still there')
  }
}
