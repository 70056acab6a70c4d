import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'

/** The command, as a user starts it, in a process of its own. */
export interface Server {
  readonly port: number
  /** ws://HOST:PORT, without a path. */
  readonly url: string
  /** SIGTERM; the command must end with 0. A second call waits for the same end. */
  stop(): Promise<void>
}

const ROOT = new URL('../..', import.meta.url)

/** Starts `fiberws CONFIG` on a free port and waits until it says that it listens. */
export async function serve(config = 'samples/web.json5'): Promise<Server> {
  const args = ['--import', 'tsx', 'lib/cli.ts', config, '--listen', '127.0.0.1:0']
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = collect(child)
  const exited = once(child, 'exit')
  const port = await Promise.race([
    listeningPort(child),
    exited.then(([code]) => {
      throw new Error(`the server ended with ${String(code)} before it listened:\n${said()}`)
    }),
  ])
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM')
    const [code, signal]: unknown[] = await exited
    expect({ code, signal }, said()).toEqual({ code: 0, signal: null })
  }
  return { port, url: `ws://127.0.0.1:${port}`, stop }
}

/** The port in the line that tells it; pending for ever if there is none. */
function listeningPort({ stdout }: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    if (stdout === null) return
    createInterface(stdout).on('line', (line) => {
      const port = /^listening on http:\/\/127\.0\.0\.1:(\d+)$/.exec(line)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
  })
}

/** Everything a process says from here on, both streams in the order of arrival. */
export function collect({ stdout, stderr }: ChildProcess): () => string {
  let text = ''
  for (const stream of [stdout, stderr]) stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return () => text
}

/**
 * Whether a client that npm does not bring is there. Where it must be, in CI, its absence fails the file; elsewhere the
 * file is skipped, and says so.
 */
export function isInstalled(what: string, found: boolean): boolean {
  if (found) return true
  const advice = `${what} is missing: apt-get install chromium python3-websockets`
  if (process.env['CI'] === 'true') throw new Error(advice)
  console.warn(`\n*** SKIPPED: ${advice} ***\n`)
  return false
}

/** Messages of every kind that a text may be. */
export const TEXTS = {
  'ASCII': 'Hello, world',
  'multi-byte': 'Grüße, 世界, 🧵, e\u0301, \u0000 and \u{10ffff}',
  'empty': '',
  '64 KB': 'x'.repeat(65536),
}

/** 16 MB of text with characters of one to four bytes, 16 bytes a turn. */
export const LARGE_TEXT = 'abcdé€🧵fg\n'.repeat(1 << 20)

/** Bytes without a period that a frame or chunk could hide. */
export function someBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0, seed = 1; at < length; at++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    bytes[at] = seed >>> 16
  }
  return bytes
}

/** One line of figures; nothing is asserted about time. */
export const report = (client: string, what: string, milliseconds: number): void =>
  console.log(`${client}: ${what} there and back in ${milliseconds.toFixed(0)} ms`)
