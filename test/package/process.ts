import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { afterEach } from 'vitest'

const running = new Set<Started>()
afterEach(() => {
  for (const started of running) started.signal('SIGKILL')
})

/** A program and what it starts: they hear signals together, as they do from a terminal. */
export class Started {
  readonly child: ChildProcessWithoutNullStreams
  out = ''
  err = ''
  readonly exit: Promise<number | null>

  constructor(cwd: string, program: string, args: readonly string[]) {
    this.child = spawn(program, args, { cwd, detached: true })
    running.add(this)
    this.child.stdout.on('data', (chunk: Buffer) => (this.out += chunk.toString()))
    this.child.stderr.on('data', (chunk: Buffer) => (this.err += chunk.toString()))
    this.exit = new Promise((resolve) => {
      this.child.once('close', (code) => {
        running.delete(this)
        resolve(code)
      })
    })
  }

  signal(name: NodeJS.Signals): void {
    if (this.child.pid !== undefined) process.kill(-this.child.pid, name)
  }

  /** The port that it says it listens on. */
  async port(): Promise<number> {
    for (;;) {
      const match = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(this.out)
      if (match !== null) return Number(match[1])
      await new Promise((resolve, reject) => {
        this.child.stdout.once('data', resolve)
        this.child.once('close', () => reject(new Error(`ended: ${this.out}${this.err}`)))
      })
    }
  }
}
