import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { startArguments } from './built.ts'
import { patiently } from './patience.ts'

const root = join(import.meta.dirname, '../..')

const folders: string[] = []
const groups = new Set<number>()
afterAll(() => {
  for (const pid of groups) {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // All of it has ended.
    }
  }
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** A folder for configs and action modules; these import the program that runs them. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'fiberws-life-'))

  constructor() {
    folders.push(this.path)
  }

  file(name: string): string {
    return join(this.path, name)
  }

  write(name: string, content: string | object): string {
    writeFileSync(this.file(name), typeof content === 'string' ? content : JSON.stringify(content))
    return this.file(name)
  }

  /** An action module; `code` may use what the library exports. */
  action(name: string, code: string): string {
    return this.write(name, `import * as lib from 'fiberws'\n${code}`)
  }
}

/** The command as a service manager starts it: a process group of its own, without a terminal. */
export class Service {
  readonly child: ChildProcessWithoutNullStreams
  /** What it has said, on both streams in the order of arrival. */
  said = ''
  /** Its exit code or signal, when it and its workers have ended: they hold its streams. */
  readonly exit: Promise<number | string | null>
  #over = false
  #wake: (() => void)[] = []

  /** `env` is added to this process's own. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, startArguments(args), {
      cwd: root,
      detached: true,
      env: { ...process.env, ...env },
    })
    if (this.child.pid !== undefined) groups.add(this.child.pid)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.said += chunk
        this.#tell()
      })
    }
    this.exit = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        this.#over = true
        this.#tell()
        resolve(code ?? signal)
      }),
    )
  }

  #tell(): void {
    const wake = this.#wake
    this.#wake = []
    for (const fn of wake) fn()
  }

  /** Waits until it says something that matches; what it had said before `from` does not count. */
  async until(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.said.slice(from))
      if (match !== null) return match
      if (this.#over) throw new Error(`ended without ${pattern}: ${this.said}`)
      await patiently(new Promise<void>((resolve) => this.#wake.push(resolve)), () => `no ${pattern}: ${this.said}`)
    }
  }

  /** The port of the first listener. */
  async port(): Promise<number> {
    return Number((await this.until(/^listening on https?:\/\/127\.0\.0\.1:(\d+)$/m))[1])
  }

  /** Sends SIGHUP, and waits for what it says about that. */
  async reload(): Promise<string> {
    const from = this.said.length
    this.child.kill('SIGHUP')
    return (await this.until(/^reloaded: .*$|^reload error .*the old config stays$/m, from))[0]
  }
}
