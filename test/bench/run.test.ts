import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder = ''
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'fiberws-bench-'))))
afterAll(() => rmSync(folder, { recursive: true }))

/** `npm run bench -- …` */
function bench(...args: string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.on('close', (code) => resolve({ code, out }))
  })
}

const quick = ['--rounds', '1', '--seconds', '0.1']

describe('npm run bench', () => {
  it('runs each kind of workload, prints a table and keeps all rounds', async () => {
    const file = join(folder, 'run.json')
    const { code, out } = await bench(
      'echo-1k',
      'latency',
      'connect',
      'files-1k',
      '--servers',
      'ours node, ws, sirv',
      '--out',
      file,
      ...quick,
    )
    expect(out).toMatch(/^npm run bench -- echo-1k latency/)
    expect(out).toMatch(/ours node view +\d+\.\d\d \(/)
    for (const text of ['echo of 1 KB', 'p99.9', 'a connection', 'A/A ours node view', 'a request', 'to sirv']) {
      expect(out).toContain(text)
    }
    // Each server has what it is for.
    expect(out.match(/^sirv /gm)).toHaveLength(1)
    expect(out.match(/^ws /gm)).toHaveLength(3)
    expect(code).toBe(0)
    const text = readFileSync(file, 'utf8')
    expect(JSON.parse(text)).toMatchObject({
      about: { node: process.version, packages: { ws: '8.23.0' } },
      workloads: {
        'echo-1k': { rows: { 'ours node view': { rounds: [[{}]] }, 'ours node view again': {}, 'ws': {} } },
        'latency': { rows: { ws: { latency: { p50: {}, p99: {}, p999: {}, max: {} }, rounds: [[{ latency: {} }]] } } },
        'connect': { rows: { ws: {} } },
        'files-1k': { rows: { 'ours node files': { toPeer: {} }, 'sirv': { rounds: [[{}]] } } },
      },
    })
    // What is not a number is null there.
    expect(text).toMatch(/"commit":"[0-9a-f]{7,}\+?"/)
    expect(text).not.toMatch(/"(cost|rate|server|client|late|p999|median)":null/)

    const again = await bench('echo-1k', '--servers', 'ours node view, ws', '--compare', file, '--out', file, ...quick)
    expect(again.out).toMatch(/^since \d{4}-.*: ratios to raw, else to ws, sirv or python$/m)
    expect(again.out).toMatch(/^ours node view again +\d\.\d+ \(.*%/m)
  }, 120_000)

  it('runs gateways on worlds that it fills', async () => {
    const args = ['--servers', 'ours node gateway', '--out', join(folder, 'gateway.json'), ...quick]
    const { code, out } = await bench('gateway-posts-1', ...args)
    expect(out).toContain('filling a world: {"accounts":1,"servers":1,"channels":1,"unread":0}')
    expect(out).toMatch(/^ours node gateway +\d+\.\d\d \(/m)
    expect(code).toBe(0)
  }, 120_000)

  it('runs agents beside one in Python, or says what is missing', async () => {
    const args = ['--servers', 'ours uws agent, python agent', '--out', join(folder, 'agent.json'), ...quick]
    const { code, out } = await bench('agent-stream', ...args)
    expect(out).toMatch(/^ours uws agent +\d+\.\d\d \(/m)
    expect(out).toMatch(/^python agent( +\d+\.\d\d \(| is left out: .*apt-get install python3-websockets$)/m)
    expect(out).toContain('A/A ours uws agent')
    // Of a tenth of a second nobody knows whether its bar is passed.
    expect(code).not.toBe(2)
  }, 120_000)

  it('measures another commit beside this one', async () => {
    const file = join(folder, 'base.json')
    const { out } = await bench('echo-1k', '--servers', 'ours node view', '--base', 'HEAD', '--out', file, ...quick)
    expect(out).toMatch(/^since HEAD, side by side$/m)
    expect(out).toMatch(/^ours node view @HEAD +\d+\.\d\d \(/m)
    expect(out).toMatch(/^ours node view +\d\.\d{3} \(.*\) +[+-]\d+\.\d % +(not sure|worse|better)$/m)
  }, 120_000)

  it.each([
    ['a workload that is not there', ['echo-2'], "no workload 'echo-2': agent-burst, agent-stream, connect, "],
    ['a server that is not there', ['--servers', 'ours,perl'], "no server 'perl': raw string, "],
    ['rounds that are no number', ['--rounds', 'many'], '--rounds many: not a number above 0'],
    ['half a round', ['--rounds', '0.5'], '--rounds 0.5: not'],
    ['no time', ['--seconds', '0'], '--seconds 0: not'],
    ['an unknown option', ['--fast'], "Unknown option '--fast'"],
    ['a commit that is not there', ['--base', 'nowhere'], 'nowhere'],
    ['a file that is not there', ['--compare', 'nowhere.json'], 'nowhere.json'],
  ])('%s is a sentence and exit code 2', async (_what, args, text) => {
    const { code, out } = await bench(...args)
    expect(out).toContain(text)
    expect(out).toContain('--help')
    expect(out).not.toMatch(/^ +at /m)
    expect(code).toBe(2)
  })

  it('a file that is no run is one too', async () => {
    const file = join(folder, 'other.json')
    writeFileSync(file, '{}')
    const { code, out } = await bench('--compare', file)
    expect(out).toContain(`${file} is not the JSON of a run`)
    expect(code).toBe(2)
  })
})
