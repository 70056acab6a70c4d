import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { api } from './api.ts'
import { apiUws } from './api-uws.ts'
import { FlightRecorder } from './flight.ts'
import { config } from './config.ts'
import { gatewayFrames } from './gateway/frames.ts'
import { gatewayRequests, gatewayRequestsUws } from './gateway/requests.ts'
import { gatewaySocket, gatewaySocketUws } from './gateway/sockets.ts'
import { handshake, handshakeUws } from './handshake.ts'
import { inflation } from './inflate.ts'
import { parser } from './parser.ts'
import { requests, requestsUws } from './request.ts'
import { Random } from './random.ts'
import { server, serverUws } from './server.ts'
import { agentFrames } from './agent/frames.ts'
import { cq } from './onebot/cq.ts'
import { onebotFrames } from './onebot/frames.ts'
import { Problem, type Runner, type Target } from './target.ts'

export const targets: readonly Target[] = [
  parser,
  inflation,
  config,
  api,
  server,
  handshake,
  requests,
  serverUws,
  handshakeUws,
  requestsUws,
  apiUws,
  gatewayFrames,
  gatewaySocket,
  gatewaySocketUws,
  gatewayRequests,
  gatewayRequestsUws,
  agentFrames,
  cq,
  onebotFrames,
]

export interface Plan {
  readonly seed: number
  /** The first input. */
  readonly from: number
  /** Inputs that are tried. */
  readonly count: number
}

export interface Result {
  readonly done: number
  readonly inputs: number
  readonly seconds: number
  /** Share of the inputs that got through to the application. */
  readonly reached: number
  /** Bytes of memory at the end less those at half. */
  readonly growth: number
  /** The same of all that the process takes, native code included: for the reader, as it is too rough for a bound. */
  readonly rss: number
  readonly notes: string
}

const PROGRESS = 2000
/** Inputs up to this size are printed. */
const PRINTABLE = 4096

export const freshSeed = (): number => Math.floor(Math.random() * 0x1_0000_0000)

/** Tries inputs until as many are done as planned. Throws at the first problem, and when too much or too little came of it. */
export async function fuzz(target: Target, plan: Plan, say: (line: string) => void): Promise<Result> {
  const runner = await target.start()
  const underWay = new Map<number, number>()
  const recorder = target.native === true ? new FlightRecorder(target.name, plan.seed) : null
  if (recorder !== null) say(`${target.name}: if the process dies, its last inputs are in ${recorder.file}`)
  const note = (lane: number, index: number): void => {
    underWay.set(lane, index)
    recorder?.note(lane, index)
  }
  let crash: (error: unknown) => void = () => {}
  const crashed = new Promise<never>((_resolve, reject) => {
    crash = (error) => {
      const inputs = [...underWay.values()].join(', ')
      reject(new Error(`${target.name}: uncaught: ${explain(error)}\n  seed ${plan.seed}, during inputs ${inputs}`))
    }
  })
  process.on('uncaughtException', crash)
  try {
    return await Promise.race([run(target, runner, plan, say, note), crashed])
  } finally {
    await runner.stop()
    process.off('uncaughtException', crash)
    recorder?.close()
  }
}

async function run(
  target: Target,
  runner: Runner,
  { seed, from, count }: Plan,
  say: (line: string) => void,
  note: (lane: number, index: number) => void,
): Promise<Result> {
  const start = performance.now()
  let next = from
  let done = 0
  let reached = 0
  let spoken = start
  let failed = false

  const lane = async (id: number, end: number): Promise<void> => {
    while (done < end && !failed) {
      const index = next++
      note(id, index)
      const input = runner.make(Random.of(seed, index))
      try {
        const outcome = runner.attempt(input, id)
        const { count: counts, reached: through } = outcome instanceof Promise ? await outcome : outcome
        done += counts
        if (through) reached++
      } catch (error) {
        failed = true
        throw new Error(describe(target, seed, index, input, error), { cause: error })
      }
      const now = performance.now()
      if (now - spoken < PROGRESS) continue
      spoken = now
      say(`${target.name}: ${done} of ${count}, input ${index}, ${Math.round((done * 1000) / (now - start))}/s`)
      // A target that never waits would keep everything else waiting.
      await turn()
    }
  }
  const until = async (end: number): Promise<number> => {
    await Promise.all(Array.from({ length: target.lanes }, (_, id) => lane(id, end)))
    await runner.settle()
    return usedMemory()
  }

  const half = await until(Math.ceil(count / 2))
  const halfRss = process.memoryUsage.rss()
  const growth = (await until(count)) - half
  const rss = process.memoryUsage.rss() - halfRss
  const inputs = next - from
  const seconds = (performance.now() - start) / 1000
  const result = { done, inputs, seconds, reached: reached / inputs, growth, rss, notes: runner.notes() }
  say(`${target.name}: ${summary(result)}`)
  // A replay of a few inputs proves nothing about shares.
  if (count < 1000) return result
  if (result.reached < target.minReached) throw new Error(`${target.name}: too few inputs get through: seed ${seed}`)
  if (growth > target.maxGrowth) throw new Error(`${target.name}: memory grows by ${growth} bytes: seed ${seed}`)
  return result
}

function summary({ done, inputs, seconds, reached, growth, rss, notes }: Result): string {
  const percent = Math.round(reached * 100)
  const rate = Math.round(done / seconds)
  const megabytes = `${(growth / 1e6).toFixed(2)} MB growth (RSS ${(rss / 1e6).toFixed(0)} MB)`
  return `${done} done (${inputs} inputs) in ${seconds.toFixed(1)} s, ${rate}/s, ${percent} % got through, ${megabytes} ${notes}`
}

function describe(target: Target, seed: number, index: number, input: Buffer, error: unknown): string {
  const bytes = (error instanceof Problem ? error.input : null) ?? input
  const hex = bytes.toString('hex')
  const folder = join(tmpdir(), 'fiberws-fuzz')
  const file = join(folder, `${target.name}-${seed}-${index}.hex`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, `${hex}\n`)
  return [
    `${target.name}: ${explain(error)}`,
    `  seed ${seed}, input ${index}: npm run fuzz -- --only ${target.name} --seed ${seed} --from ${index} --count 1`,
    `  ${bytes.length} bytes: ${hex.length > PRINTABLE ? `${hex.slice(0, PRINTABLE)}…` : hex}`,
    `  to keep it: mv ${file} test/fuzz/corpus/${target.name}-<what-it-shows>.hex`,
  ].join('\n')
}

/** A message of several lines says where it comes from itself. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message.includes('\n') ? error.message : (error.stack ?? error.message)
}

const collect: unknown = (setFlagsFromString('--expose-gc'), runInNewContext('gc'))

/** What is still referred to, inside of V8 and outside. */
async function usedMemory(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    await turn()
    if (typeof collect === 'function') Reflect.apply(collect, undefined, [])
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

export interface CorpusEntry {
  readonly name: string
  readonly target: Target
  readonly input: Buffer
}

/**
 * Past failures and other inputs worth keeping: `<target>-<what it shows>.hex`; lines with # are comments. Those of a
 * target on node are tried on uws too.
 */
export function corpus(): CorpusEntry[] {
  const folder = new URL('corpus/', import.meta.url)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.hex'))
    .flatMap((name) => {
      const owners = targets.filter((target) => name.startsWith(`${target.name}-`))
      const owner = owners.toSorted((a, b) => b.name.length - a.name.length)[0]
      if (owner === undefined) throw new Error(`${name}: no such target`)
      const lines = readFileSync(new URL(name, folder), 'utf8').split('\n')
      const hex = lines.filter((line) => !line.startsWith('#')).join('')
      const input = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
      return targets
        .filter((target) => target === owner || target.name === `${owner.name}-uws`)
        .map((target) => ({ name, target, input }))
    })
}

export async function replay({ target, input }: CorpusEntry): Promise<void> {
  const runner = await target.start()
  try {
    await runner.attempt(input, 0)
    await runner.settle()
  } finally {
    await runner.stop()
  }
}
