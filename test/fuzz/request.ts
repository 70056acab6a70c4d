import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { EngineName } from '../../lib/engine/port.ts'
import { rSetLogSink } from '../../lib/index.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { RawClient } from '../support/raw.ts'
import { openSockets, within } from './live.ts'
import { Random } from './random.ts'
import { chunks, mutate } from './sequences.ts'
import { must, type Outcome, Problem, type Runner, type Target } from './target.ts'

/** What lies outside of the folder that is served, and what is hidden in it. */
const CANARY = 'a4f1-canary-9c0e'

const SEGMENTS = [
  '',
  '.',
  '..',
  '...',
  '%2e',
  '%2e%2e',
  '.%2e',
  '%2E.',
  '..%2f',
  '..%5c',
  '%2f',
  '%5c',
  '%00',
  '%',
  '%zz',
  '%c0%af',
  '%ff',
  'index.html',
  'plain.txt',
  'sub',
  'sub%20dir',
  '.env',
  '%2eenv',
  '.git',
  'config',
  'link',
  'near',
  'outside.txt',
  'site',
  'etc',
  'passwd',
  'x',
  '~',
  '*',
  '?',
  '#',
  ';',
  '\\',
  ' ',
  '+',
  '__proto__',
  'constructor',
  'x'.repeat(300),
  '\u00e9',
] as const
const ODD_METHODS = ['HEAD', 'POST', 'OPTIONS', 'DELETE', 'get', 'CONNECT', 'FOO', ''] as const
const FIELDS = [
  'Range: bytes=0-4',
  'Range: bytes=-3',
  'Range: bytes=0-0,2-3',
  'Range: bytes=99-',
  'Range: bytes=-',
  `Range: bytes=${'0-0,'.repeat(30)}`,
  'If-None-Match: *',
  'If-None-Match: "x"',
  'If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT',
  'If-Range: "x"',
  'Accept-Encoding: br, gzip;q=0',
  'Accept-Encoding: *',
  'Content-Length: 5',
  'Content-Length: 999999',
  'Transfer-Encoding: chunked',
  'Authorization: Bearer x',
  'Expect: 100-continue',
  'Connection: close',
  'Connection: keep-alive',
  'Host: y',
  'Upgrade: websocket',
] as const

/** What is there, as it is usually asked for. */
const KNOWN = [
  '/',
  '/index.html',
  '/plain.txt',
  '/sub%20dir/',
  '/sub%20dir',
  '/sub%20dir/index.html',
  '/x/../plain.txt',
] as const

function request(random: Random): Buffer {
  const odd = `/${Array.from({ length: random.below(6) }, () => random.pick(SEGMENTS)).join('/')}`
  const target = random.chance(0.75) ? random.pick(KNOWN) : odd
  const start = random.chance(0.05) ? `http://x${target}` : target
  const fields = Array.from({ length: random.below(3) }, () => random.pick(FIELDS))
  const version = random.chance(0.95) ? 'HTTP/1.1' : 'HTTP/1.0'
  return Buffer.from(
    [
      `${random.chance(0.85) ? 'GET' : random.pick(ODD_METHODS)} ${start} ${version}`,
      'Host: x',
      ...fields,
      '',
      '',
    ].join('\r\n'),
    'latin1',
  )
}

class RequestRunner implements Runner {
  readonly #host: Host
  readonly #port: number
  readonly #folder: string
  readonly #sockets = openSockets()
  readonly #statuses = new Map<number, number>()
  #problem: Problem | null = null

  private constructor(host: Host, port: number, folder: string) {
    this.#host = host
    this.#port = port
    this.#folder = folder
    rSetLogSink((level, source, message) => {
      if (level === 'error') this.#problem ??= new Problem(`logged by ${source}: ${message}`)
    })
  }

  static async start(engine: EngineName): Promise<RequestRunner> {
    const folder = mkdtempSync(join(tmpdir(), 'fiberws-fuzz-'))
    const site = join(folder, 'site')
    mkdirSync(join(site, 'sub dir'), { recursive: true })
    mkdirSync(join(site, '.git'))
    mkdirSync(join(folder, 'site-2'))
    for (const name of ['index.html', 'plain.txt', 'plain.txt.br', 'sub dir/index.html'])
      writeFileSync(join(site, name), 'public')
    for (const name of ['outside.txt', 'site-2/x', 'site/.env', 'site/.git/config'])
      writeFileSync(join(folder, name), CANARY)
    symlinkSync(join(folder, 'outside.txt'), join(site, 'link'))
    symlinkSync(join(folder, 'site-2'), join(site, 'near'))
    const host = createHost(
      {
        web: {
          engine,
          listen: 'http://127.0.0.1:0',
          documents: site,
          timeouts: { parse: 1, drain: 0.1 },
          routes: [{ match: '/', compressed: true, cache: { maxAge: 5 } }],
        },
      },
      parts,
    )
    must((await host.start()) === 0, () => host.error ?? 'no start')
    return new RequestRunner(host, host.listening[0]?.port ?? 0, folder)
  }

  make(random: Random): Buffer {
    const bytes = request(random)
    return random.chance(0.25) ? mutate(random, bytes) : bytes
  }

  async attempt(input: Buffer): Promise<Outcome> {
    const random = Random.from(input)
    const client = await within(RawClient.connect(this.#port), 'connecting')
    try {
      for (const piece of random.chance(0.7) ? [input] : chunks(random, input)) {
        client.send(piece)
        if (random.chance(0.3)) await turn()
      }
      client.socket.end()
      await within(
        client.until(() => client.closed),
        'end after ours',
      )
    } finally {
      client.destroy()
    }
    if (this.#problem !== null) throw this.#problem
    const answer = client.received.toString('latin1')
    must(!answer.includes(CANARY), () => `the canary is in ${answer}`)
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(answer) ?? []
    must(status !== undefined || answer === '', () => `no answer: ${answer.slice(0, 100)}`)
    const code = Number(status ?? 0)
    must(code < 500 || code === 501 || code === 505, () => `${code}: ${answer}`)
    this.#statuses.set(code, (this.#statuses.get(code) ?? 0) + 1)
    return { count: 1, reached: code >= 200 && code < 400 }
  }

  async settle(): Promise<void> {
    const start = performance.now()
    while (openSockets() > this.#sockets) {
      must(performance.now() - start < 20_000, () => `left over: ${openSockets() - this.#sockets} sockets`)
      await turn()
    }
  }

  async stop(): Promise<void> {
    await this.#host.stop()
    rSetLogSink(null)
    rmSync(this.#folder, { recursive: true })
  }

  notes(): string {
    const counts = [...this.#statuses].toSorted(([a], [b]) => a - b)
    return `(${counts.map(([status, count]) => `${status || 'closed'}: ${count}`).join(', ')})`
  }
}

/** Requests for files that are odd, broken or up to no good: an answer or the end, and not a byte from outside. */
const onEngine = (engine: EngineName): Omit<Target, 'name'> => ({
  full: 100_000,
  quick: 500,
  lanes: 50,
  minReached: 0.3,
  maxGrowth: 5e6,
  native: engine === 'uws',
  start: () => RequestRunner.start(engine),
})
export const requests: Target = { name: 'request', ...onEngine('node') }
export const requestsUws: Target = { name: 'request-uws', ...onEngine('uws') }
