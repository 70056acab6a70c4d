import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { startArguments } from './built.ts'

const root = join(import.meta.dirname, '../..')

const running = new Set<ChildProcessWithoutNullStreams>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

/** The command, as a user starts it; it does not outlive its test. */
export class Command {
  readonly child: ChildProcessWithoutNullStreams
  out = ''
  err = ''
  readonly exit: Promise<number | null>

  /**
   * @param env added to this process's own
   * @param node arguments of node itself
   */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, node: readonly string[] = []) {
    this.child = spawn(process.execPath, [...node, ...startArguments(args)], {
      cwd: root,
      env: { ...process.env, ...env },
    })
    running.add(this.child)
    this.child.stdout.on('data', (chunk: Buffer) => (this.out += chunk.toString()))
    this.child.stderr.on('data', (chunk: Buffer) => (this.err += chunk.toString()))
    this.exit = new Promise((resolve) => this.child.once('close', resolve))
  }

  /** The port that it says it listens on. */
  async port(): Promise<number> {
    return Number(await this.waitFor(/listening on http:\/\/127\.0\.0\.1:(\d+)/))
  }

  /** The first group of something that it prints. */
  async waitFor(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.out)
      if (match !== null) return match[1] ?? ''
      await new Promise((resolve, reject) => {
        this.child.stdout.once('data', resolve)
        this.child.once('close', () => reject(new Error(`ended: ${this.err}`)))
      })
    }
  }
}
