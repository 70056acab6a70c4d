import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../../../bench/stats.ts'
import { TcpProxy, type Cut } from '../../support/tcp-proxy.ts'
import { AgentFollower } from '../agent/follower.ts'
import { Listener } from '../agent/listener.ts'
import type { AgentCommand } from '../agent/server.ts'
import { wholeAnswer } from '../agent/words.ts'
import { Child } from '../child.ts'
import { type Figures, of } from '../messages.ts'
import { type Context, greatest, judge, MIB, type Scenario } from '../scenario.ts'

interface Running {
  readonly server: Child<AgentCommand>
  readonly port: number
}

async function withAgent<T>(
  { engine, programs }: Context,
  channel: Readonly<Record<string, string | number | boolean>>,
  use: (running: Running) => Promise<T>,
): Promise<T> {
  const { child: server, hello } = await Child.start<AgentCommand>(programs.agent, { engine, channel }, 'the agent')
  try {
    return await use({ server, port: of(hello, 'port') })
  } finally {
    await server.stop()
  }
}

async function connect(port: number, count: number): Promise<Listener[]> {
  const listeners: Listener[] = []
  while (listeners.length < count) {
    const some = Array.from({ length: Math.min(100, count - listeners.length) }, () => new Listener(port))
    await Promise.all(some.map((one) => one.ready()))
    listeners.push(...some)
  }
  return listeners
}

/** Milliseconds between two deltas: 50 a second. */
const PACE = 20
/** MiB for 1,000 answers that grow, and what the collector lets lie. */
const GROWTH = 160
/** Milliseconds from the agent to its client, on an idle server: both are in it. */
const AT_ONCE = 2

export const agent: Scenario = {
  title: 'an agent: the first delta at once, 1,000 answers of 50 deltas a second without loss',
  run: (context) =>
    withAgent(context, { maxConcurrentTurns: 0 }, async ({ server, port }) => {
      const { clients, seconds: wished, quick } = context.wishes
      const [one] = await connect(port, 1)
      const first: number[] = []
      for (let i = 0; i < (quick ? 50 : 1000); i++) {
        await one?.ask({ answer: i, pieces: 1, every: 0, stamped: 30 })
        await sleep(2)
      }
      first.push(...(one?.delays ?? []))
      one?.close()
      const count = clients ?? (quick ? 50 : 1000)
      const seconds = wished ?? (quick ? 1 : 30)
      const pieces = seconds * (1000 / PACE)
      const listeners = await connect(port, count)
      // What a process takes for good when it has first been busy, is not what answers take.
      await Promise.all(listeners.map((listener) => listener.ask({ answer: 0, pieces: 50, every: PACE, stamped: 0 })))
      const before = await server.ask({ do: 'memory' })
      const start = await server.ask({ do: 'cpu' })
      const began = performance.now()
      for (const listener of listeners) listener.deltas = 0
      context.progress(`${count} answers of ${pieces} deltas`)
      const answers = await Promise.all(
        listeners.map(async (listener, i) => {
          await sleep((i / count) * PACE)
          const text = await listener.ask({ answer: i, pieces, every: PACE, stamped: 0 })
          return text === wholeAnswer(i, pieces)
        }),
      )
      const elapsed = (performance.now() - began) / 1000
      const end = await server.ask({ do: 'cpu' })
      const after = await server.ask({ do: 'memory' })
      for (const listener of listeners) listener.close()
      const deltas = listeners.reduce((sum, listener) => sum + listener.deltas, 0)
      const cpu = (of(end, 'cpu') - of(start, 'cpu')) / 1e6
      const figures: Figures = {
        'first p50': quantile(first, 0.5),
        'first p99': quantile(first, 0.99),
        'first max': greatest(first),
        deltas,
        'deltas a second': deltas / elapsed,
        'cores': cpu / elapsed,
        'us of CPU a delta': (cpu * 1e6) / deltas,
        'peak growth': of(end, 'peak') - of(before, 'rss'),
        'growth': of(after, 'rss') - of(before, 'rss'),
      }
      const right = answers.filter(Boolean).length
      return {
        rounds: [{ figures }],
        bars: [
          judge('first delta p99, idle', figures['first p99'] ?? NaN, 'at most', AT_ONCE, 'ms'),
          judge('answers that are not what was said', count - right, 'exactly', 0, ''),
          judge('deltas a second', figures['deltas a second'] ?? NaN, 'at least', count * (1000 / PACE) * 0.95, ''),
          judge('growth of RSS at its peak', (figures['peak growth'] ?? NaN) / MIB, 'at most', GROWTH, 'MiB'),
        ],
      }
    }),
}

/** Bytes of a connection after which it is cut, at most: in the handshake, in `ready`, in what is sent again, or behind it. */
const LONGEST = 12_000
const WAYS = ['rst', 'fin', 'silence'] as const

const cutAnywhere = (): Cut => ({
  by: WAYS[Math.floor(Math.random() * WAYS.length)] ?? 'rst',
  after: 1 + Math.floor(Math.random() * LONGEST),
})

export const answers: Scenario = {
  title:
    'a client of an agent that is cut in the middle of answers, by RST, FIN or silence, and goes on: the same text',
  run: (context) =>
    withAgent(context, {}, async ({ port }) => {
      const { rounds: wished, quick } = context.wishes
      const rounds = wished ?? (quick ? 10 : 1000)
      const proxy = await TcpProxy.open(port)
      proxy.cuts.push(...Array.from({ length: rounds }, cutAnywhere))
      const follower = new AgentFollower(proxy.port)
      const running = follower.run()
      const found = { answers: 0, different: 0, twice: 0 }
      const seen = new Set<string>()
      for (let answer = 0; proxy.cuts.length > 0; answer++) {
        const pieces = 150
        const over = new Promise<string>((resolve) => (follower.onEnd = resolve))
        follower.ask({ answer, pieces, every: 2, stamped: 0 })
        const stream = await over
        follower.answered()
        found.answers++
        if (follower.streams.get(stream) !== wholeAnswer(answer, pieces)) found.different++
        if (seen.has(stream)) found.twice++
        seen.add(stream)
        if (answer % 100 === 99) context.progress(`${rounds - proxy.cuts.length} of ${rounds} cut`)
      }
      follower.stop()
      await running
      await proxy.close()
      const { counts } = follower
      return {
        rounds: [{ figures: { ...found, ...counts } }],
        bars: [
          judge('answers whose text is another', found.different, 'exactly', 0, ''),
          judge('answers twice', found.twice + follower.streams.size - found.answers, 'exactly', 0, ''),
          judge('frames that are missing', counts.gaps, 'exactly', 0, ''),
          judge('frames twice', counts.twice, 'exactly', 0, ''),
          judge('cuts', rounds, 'at least', wished ?? rounds, ''),
          judge('resumed', counts.resumed, 'at least', Math.floor(rounds / 3), ''),
        ],
      }
    }),
}

/** Milliseconds that healthy clients may wait longer, beside one that does not read. */
const SLOWER = 1
/** Milliseconds after which who does not read is gone: two pings of five seconds, and what is left of the first. */
const PATIENCE = 16_000

async function hear(port: number, healthy: number, pieces: number): Promise<number[]> {
  const listeners = await connect(port, healthy)
  await Promise.all(listeners.map((one, i) => one.ask({ answer: i, pieces, every: PACE, stamped: 100 })))
  for (const one of listeners) one.close()
  return listeners.flatMap(({ delays }) => delays)
}

export const reader: Scenario = {
  title: 'one client of an agent that does not read, beside 16 that do',
  run: (context) =>
    withAgent(
      context,
      { pingTimeoutS: 5, pingIntervalS: 5, maxReplyBytes: '1G', maxConcurrentTurns: 0 },
      async ({ server, port }) => {
        const { clients, seconds: wished, quick } = context.wishes
        const healthy = clients ?? 16
        const pieces = (wished ?? (quick ? 2 : 15)) * (1000 / PACE)
        await hear(port, healthy, 50)
        const alone = await hear(port, healthy, pieces)
        const before = await server.ask({ do: 'memory' })
        const [slow] = await connect(port, 1)
        if (slow === undefined) throw new Error('no client')
        const started = performance.now()
        slow.ws.send('0 1000000 0 1000')
        slow.ws.pause()
        const beside = await hear(port, healthy, pieces)
        const peak = of(await server.ask({ do: 'cpu' }), 'peak')
        await sleep(Math.max(0, PATIENCE - (performance.now() - started)))
        // It was dropped, and learns of it when it reads.
        slow.ws.resume()
        while (slow.closed === null) await sleep(20)
        const ended = (performance.now() - started) / 1000
        const again = await hear(port, healthy, pieces)
        const p99 = (values: readonly number[]): number => quantile(values, 0.99)
        const base = Math.max(p99(alone), p99(again))
        const figures: Figures = {
          'alone p99': p99(alone),
          'beside p99': p99(beside),
          'alone again p99': p99(again),
          'alone p50': quantile(alone, 0.5),
          'beside p50': quantile(beside, 0.5),
          'peak growth': peak - of(before, 'rss'),
          'closed with': slow.closed,
          'seconds': ended,
        }
        return {
          rounds: [{ figures }],
          bars: [
            judge('p99 of the others', p99(beside), 'at most', Math.max(base * 1.1, base + SLOWER), 'ms'),
            judge('growth of RSS at its peak', (peak - of(before, 'rss')) / MIB, 'at most', 64, 'MiB'),
            // Whichever timer is first: what it does not read, and the ping that it does not answer.
            judge('the slow one is dropped', [1006, 1011].includes(slow.closed) ? 1 : 0, 'exactly', 1, ''),
          ],
        }
      },
    ),
}
