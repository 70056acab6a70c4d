import { setTimeout as sleep } from 'node:timers/promises'
import type { Programs } from './build.ts'
import { Child } from './child.ts'
import { type EngineName, type Figures, of, type PeersCommand, type ServerCommand } from './messages.ts'

export const KIB = 1024
export const MIB = 1024 * 1024

/** What was asked for; null: as the scenario has it. */
export interface Wishes {
  readonly seconds: number | null
  readonly rounds: number | null
  readonly clients: number | null
  readonly recover: number | null
  /** Small numbers, to see that the harness works: figures say little then. */
  readonly quick: boolean
}

/** Something that must hold. */
export interface Bar {
  readonly name: string
  readonly found: number
  readonly relation: 'at most' | 'at least' | 'exactly'
  readonly bar: number
  readonly unit: string
  readonly verdict: 'PASS' | 'FAIL'
}

/** One scenario on one engine: bars, and all that was measured, for each round by what was run in it. */
export interface Outcome {
  readonly bars: readonly Bar[]
  readonly rounds: readonly Readonly<Record<string, Figures>>[]
}

export interface Context {
  readonly engine: EngineName
  readonly wishes: Wishes
  readonly programs: Programs
  /** Told what is being done. */
  readonly progress: (text: string) => void
}

export interface Scenario {
  readonly title: string
  run(context: Context): Promise<Outcome>
}

const HOLDS: Readonly<Record<Bar['relation'], (found: number, bar: number) => boolean>> = {
  'at most': (found, bar) => found <= bar,
  'at least': (found, bar) => found >= bar,
  'exactly': (found, bar) => found === bar,
}

/** What is not a number holds nothing. */
export const judge = (name: string, found: number, relation: Bar['relation'], bar: number, unit: string): Bar => ({
  name,
  found,
  relation,
  bar,
  unit,
  verdict: HOLDS[relation](found, bar) ? 'PASS' : 'FAIL',
})

/** A server and its clients, each in a process of its own. */
export interface Pair {
  readonly server: Child<ServerCommand>
  readonly peers: Child<PeersCommand>
  readonly port: number
}

/** Both are new, and gone behind `use`. */
export async function withPair<T>(
  { engine, programs }: Context,
  config: { readonly limits: Readonly<Record<string, string | number>>; readonly slow?: number },
  use: (pair: Pair) => Promise<T>,
): Promise<T> {
  const starting = [
    Child.start<ServerCommand>(programs.server, { engine, slow: 0, ...config }, `the ${engine} server`),
    Child.start<PeersCommand>(programs.peers, {}, 'the process of the clients'),
  ] as const
  try {
    const [{ child: server, hello }, { child: peers }] = await Promise.all(starting)
    return await use({ server, peers, port: of(hello, 'port') })
  } finally {
    for (const one of await Promise.allSettled(starting)) if (one.status === 'fulfilled') await one.value.child.stop()
  }
}

/**
 * What `work` has found, and bytes of RSS behind collections before it and `recover` seconds after it; the peak between, and
 * the most that was queued for peers at a time.
 */
export async function weigh(server: Pair['server'], recover: number, work: () => Promise<Figures>): Promise<Figures> {
  const start = of(await server.ask({ do: 'memory' }), 'rss')
  await server.ask({ do: 'watch' })
  const found = await work()
  const { peak = NaN, seen = NaN, queued = NaN } = await server.ask({ do: 'peak' })
  await sleep(recover * 1000)
  const after = of(await server.ask({ do: 'memory' }), 'rss')
  return { ...found, start, peak, seen, after, 'most queued': queued }
}

/** How connections on a path have ended so far. */
export async function endings(server: Pair['server'], path: string): Promise<Figures> {
  const counters = await server.ask({ do: 'counters' })
  return { 'closed for it': of(counters, `${path}.closes`), 'closed with 1013': of(counters, `${path}.1013`) }
}

/** Connections on a path that had no CLOSE, or more than one. */
export const unpaired = (counters: Figures, path: string): number =>
  Math.abs(of(counters, `${path}.opens`) - of(counters, `${path}.closes`)) + of(counters, `${path}.twice`)

/** How much larger than before memory may be afterwards. */
export const RECOVERED = 1.2

export const greatest = (values: Iterable<number>): number => Math.max(-Infinity, ...values)
