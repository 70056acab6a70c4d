import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterAll, expect } from 'vitest'

/** The command, as a user starts it, in a process of its own. */
export interface Server {
  readonly port: number
  /** ws://HOST:PORT, without a path. */
  readonly url: string
  /** SIGTERM; the command must end with 0. */
  stop(): Promise<void>
}

const ROOT = new URL('../..', import.meta.url)

/** Milliseconds that a busy machine may take to start or stop a server. */
export const START = 60_000

export const engines = ['node', 'uws'] as const
export type EngineName = (typeof engines)[number]

/** Starts `fiberws CONFIG` on a free port and waits until it says that it listens. */
export async function serve(engine: EngineName, config = 'samples/web.json5'): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-clients-'))
  folders.push(folder)
  const args = [
    '--import',
    'tsx',
    'lib/cli.ts',
    config,
    '--listen',
    '127.0.0.1:0',
    '--engine',
    engine,
    '--data',
    folder,
  ]
  const child = start(process.execPath, args)
  const port = await Promise.race([
    listeningPort(child.process),
    child.ended.then((end) => {
      throw new Error(`the server ended before it listened: ${end}\n${child.said()}`)
    }),
  ])
  const stop = async (): Promise<void> => {
    child.process.kill('SIGTERM')
    expect(await child.ended, child.said()).toBe('exit code 0')
  }
  return { port, url: `ws://127.0.0.1:${port}`, stop }
}

export interface Child {
  readonly process: ChildProcessByStdio<null, Readable, Readable>
  /** 'exit code 0', or how else it ended; what it has said is complete then. */
  readonly ended: Promise<string>
  /** Both streams in the order of arrival. */
  said(): string
}

const running = new Set<Child>()
/** Of worlds. */
const folders: string[] = []

// What a failed test has left behind.
afterAll(async () => {
  for (const child of running) child.process.kill('SIGKILL')
  await Promise.all(Array.from(running, ({ ended }) => ended))
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** Starts a program in the project's folder; it does not outlive the tests of the file. */
export function start(command: string, args: readonly string[]): Child {
  const env = { ...process.env, FIBERWS_CHANNEL_PORT: '0', FIBERWS_ONEBOT_PORT: '0' }
  const spawned = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [spawned.stdout, spawned.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  }
  const ended = new Promise<string>((resolve, reject) => {
    spawned.once('error', reject)
    spawned.once('close', (code, signal) => {
      running.delete(child)
      resolve(signal ?? `exit code ${code}`)
    })
  })
  const child = { process: spawned, ended, said: () => text }
  running.add(child)
  return child
}

/** The port in the line that tells it; pending for ever if there is none. */
function listeningPort({ stdout }: Child['process']): Promise<number> {
  return new Promise((resolve) => {
    createInterface(stdout).on('line', (line) => {
      const port = /^listening on http:\/\/127\.0\.0\.1:(\d+)$/.exec(line)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
  })
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
