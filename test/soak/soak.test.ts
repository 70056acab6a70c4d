import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reply } from '../support/frames.ts'
import { parseOptions } from './options.ts'
import { busiest } from './peers/closes.ts'
import { ServerBytes } from './peers/frames.ts'
import { type Bar, judge } from './scenario.ts'

let folder = ''
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'fiberws-soak-test-'))))
afterAll(() => rmSync(folder, { recursive: true }))

/** The command, as a user starts it. */
function soak(...args: string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/soak/run.ts', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.on('close', (code) => resolve({ code, out }))
  })
}

/** What is judged, in order, and what is too much even in one second on a busy machine. Of times that can be said of none. */
const STALLED = [
  ['p99 from publish', 'at most', Infinity],
  ['p99 from when it was due', 'at most', Infinity],
  ['lost or out of order', 'exactly', 0],
  ['growth of RSS', 'at most', 48],
  ['RSS 0.2 s after', 'at most', 1.5],
  ['stalled one closed once, 1013', 'exactly', 1],
  ['without one CLOSE', 'exactly', 0],
] as const
const FLOOD = [
  ['growth of RSS', 'at most', 128],
  ['without one CLOSE', 'exactly', 0],
] as const
const OWN = {
  uws: [
    ['offered', 'at least', 16],
    ['closed, and not with 1008', 'exactly', 0],
  ],
  node: [
    ['taken in that time', 'at least', 1],
    ['closed by the server', 'exactly', 0],
  ],
} as const

interface Result {
  readonly bars: readonly Bar[]
}

const isReport = (value: unknown): value is { readonly results: readonly Result[] } =>
  typeof value === 'object' && value !== null && 'results' in value && Array.isArray(value.results)

function readReport(file: string): readonly Result[] {
  const report: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isReport(report)) throw new Error(`no report: ${file}`)
  return report.results
}

const number: unknown = expect.any(Number)

describe('the command', () => {
  // Side by side: most of it is waiting.
  // Once more: a client that has had no processor for a second does not read either, and is closed as it should be.
  it.concurrent.each(['uws', 'node'] as const)(
    'on %s prints a table, and keeps all rounds',
    { timeout: 120_000, retry: 1 },
    async (engine) => {
      const file = join(folder, `${engine}.json`)
      const { code, out } = await soak('stalled', 'flood', '--engine', engine, '--quick', '--json', file)
      expect(out).toMatch(/^scenario +engine +what +found +bar$/m)
      expect(out).toMatch(new RegExp(`^stalled +${engine} +lost or out of order +0 +exactly 0 messages +PASS$`, 'm'))
      const results = readReport(file)
      const memory = { start: number, peak: number, after: number }
      const run = { ...memory, 'p50': number, 'p99': number, 'due p99': number }
      expect(results).toMatchObject([
        { scenario: 'stalled', engine, rounds: [{ 'A': run, 'B': { ...run, 'stalled.1013': 1 }, 'A again': run }] },
        { scenario: 'flood', engine, rounds: [{ flood: { ...memory, got: number } }] },
      ])
      for (const [i, expected] of [STALLED, [...FLOOD, ...OWN[engine]]].entries()) {
        const bars = results[i]?.bars ?? []
        expect(bars.map(({ name, relation }) => [name, relation])).toEqual(expected.map(([...all]) => all.slice(0, 2)))
        for (const [at, [name, relation, generous]] of expected.entries()) {
          const { found = NaN, verdict } = bars[at] ?? {}
          expect(judge(name, found, relation, generous, ''), out).toMatchObject({ verdict: 'PASS' })
          expect(verdict).toMatch(/^(PASS|FAIL)$/)
        }
      }
      const missed = results.some(({ bars }) => bars.some(({ verdict }) => verdict === 'FAIL'))
      expect(code).toBe(missed ? 1 : 0)
    },
  )

  it.concurrent(
    'a gateway that is killed loses nothing that it has answered',
    async () => {
      const { code, out } = await soak('crash', '--engine', 'node', '--quick', '--rounds', '2')
      expect(out).toMatch(/^crash +node +answered, and not there +0 +exactly 0 messages +PASS$/m)
      expect(out).toMatch(/^crash +node +copies with a cut log that are wrong +0 +exactly 0 of 16 +PASS$/m)
      expect(code, out).toBe(0)
    },
    120_000,
  )

  it.concurrent(
    'a bot whose client is away loses nothing, and a file that is cut is whole',
    async () => {
      const { out } = await soak('bots', '--engine', 'node', '--quick')
      expect(out).toMatch(/^bots +node +events that are missing +0 +exactly 0 +PASS$/m)
      expect(out).toMatch(/^bots +node +events twice +0 +exactly 0 +PASS$/m)
      expect(out).toMatch(/^bots +node +files that are whole +3 +exactly 3 +PASS$/m)
    },
    120_000,
  )

  it.concurrent(
    'a client that is cut goes on with all that it has missed',
    async () => {
      const { code, out } = await soak('resume', '--engine', 'uws', '--quick')
      expect(out).toMatch(/^resume +uws +events that are missing +0 +exactly 0 +PASS$/m)
      expect(code, out).toBe(0)
    },
    120_000,
  )

  it.concurrent(
    'a member hears what they see, whatever changes amid messages',
    async () => {
      const { code, out } = await soak('rights', '--engine', 'uws', '--quick')
      expect(out).toMatch(/^rights +uws +events too many, missing or out of order +0 +exactly 0 +PASS$/m)
      expect(code, out).toBe(0)
    },
    120_000,
  )

  it.concurrent(
    'an answer of an agent is what it said, also for who was cut in the middle',
    async () => {
      const { out } = await soak('answers', '--engine', 'uws', '--quick')
      for (const what of ['answers whose text is another', 'frames that are missing', 'frames twice']) {
        expect(out).toMatch(new RegExp(`^answers +uws +${what} +0 +exactly 0 +PASS$`, 'm'))
      }
    },
    120_000,
  )

  it.concurrent('what it does not know is a sentence and exit code 2', async () => {
    const { code, out } = await soak('stall')
    expect(out).toMatch(
      /^no scenario 'stall': stalled, flood, crowd, drain, workers, crash, resume, rights, cut, restart, agent, answers, reader, bots\n.*--help/,
    )
    expect(code).toBe(2)
  })

  it.each([
    ['--engine', 'perl', "no engine 'perl': uws, node"],
    ['--rounds', '0.5', '--rounds 0.5: not a number above 0'],
    ['--seconds', '0', '--seconds 0: not'],
    ['--fast', '', "Unknown option '--fast'"],
  ])('%s %s', (name, value, text) => {
    expect(() => parseOptions([name, value])).toThrow(text)
  })
})

describe('what it measures with', () => {
  it('a bar that nothing was found for is missed', () => {
    expect(judge('nothing', NaN, 'at most', 1, '').verdict).toBe('FAIL')
    expect(judge('as much', 1, 'at most', 1, '').verdict).toBe('PASS')
  })

  it.each([
    ['none', [], 0],
    ['apart', [0, 500, 1000], 1],
    ['in any order', [1000, 0, 700, 499, 1100], 3],
    ['across the edge of a half second', [490, 495, 505, 510], 4],
  ])('closes in a window: %s', (_what, times, most) => {
    expect(busiest(times, 500)).toBe(most)
  })

  it('finds frames wherever what comes is cut', () => {
    const payloads = [0, 1, 125, 126, 65_535, 65_536].map((size) => Buffer.alloc(size, size))
    const head = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
    const bytes = Buffer.concat([head, ...payloads.map((payload) => reply({ opcode: 2, payload }))])
    for (const size of [1, 7, 4096, bytes.length]) {
      const found: [number, Buffer][] = []
      const reader = new ServerBytes((opcode, payload) => found.push([opcode, Buffer.from(payload)]))
      // Byte by byte up to the first long message only: what is not complete is put together each time.
      const end = size === 1 ? 500 : bytes.length
      for (let at = 0; at < end; at += size) reader.push(bytes.subarray(at, at + size))
      reader.push(bytes.subarray(end))
      expect(found.map(([opcode, payload]) => [opcode, payload.length])).toEqual(
        payloads.map(({ length }) => [2, length]),
      )
      expect(found.every(([, payload], i) => payload.equals(payloads[i] ?? head))).toBe(true)
    }
  })

  it('an answer that is no 101 is told', () => {
    const reader = new ServerBytes(() => {})
    expect(() => reader.push(Buffer.from('HTTP/1.1 403 Forbidden\r\n\r\n'))).toThrow(
      'no upgrade: HTTP/1.1 403 Forbidden',
    )
  })
})
