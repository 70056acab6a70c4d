import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../../../bench/stats.ts'
import { binary } from '../../support/frames.ts'
import { handshake } from '../../support/raw.ts'
import { type Figures, of } from '../messages.ts'
import { type Bar, type Context, judge, type Scenario } from '../scenario.ts'

const root = resolve(import.meta.dirname, '../../..')
const CLIENTS = 64
/** Messages of each client that are under way, and their bytes: masked, and as they come back. */
const IN_FLIGHT = 16
const SIZE = 64
const ECHO = SIZE + 2
/** How much faster two are than one, where cores allow: two for them, and one for the clients. */
const FASTER = 1.8
const CORES = 3
/** What two may cost more for a message. */
const DEARER = 1.1
/** The same where clients and workers share cores: caches are shared, too; 0.95 to 1.24 was seen with two, of the same code. */
const DEARER_SHARED = 1.4
/** Hundredths of a second, which /proc counts CPU in. */
const TICK = 100

/** Seconds of CPU that processes have used. */
const cpuOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
    const fields = rest.split(' ').map(Number)
    return sum + ((fields[11] ?? 0) + (fields[12] ?? 0)) / TICK
  }, 0)

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

/** Keeps so many messages under way, and counts those that have come back. */
async function echo(port: number, counter: { echoes: number }): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.write(handshake('/'))
  await once(socket, 'data')
  const message = binary(Buffer.alloc(SIZE))
  const send = (count: number): void => void socket.write(Buffer.concat(Array.from({ length: count }, () => message)))
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    const come = Math.floor(bytes / ECHO)
    bytes -= come * ECHO
    counter.echoes += come
    if (come > 0) send(come)
  })
  send(IN_FLIGHT)
  return socket
}

/** Echoes a second of a server with so many workers, and microseconds of its CPU for each. */
async function measure({ engine }: Context, workers: number, seconds: number): Promise<Figures> {
  const args = ['--import', 'tsx', 'lib/cli.ts', join(root, 'samples/echo/web.json5')]
  const options = ['--engine', engine, '--listen', '127.0.0.1:0', '--workers', String(workers)]
  const server = spawn(process.execPath, [...args, ...options], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    let port = 0
    for await (const line of createInterface(server.stdout)) {
      port = Number(/listening on .*:(\d+)$/.exec(line)?.[1] ?? 0)
      if (port !== 0) break
    }
    const pid = server.pid ?? 0
    const pids = workers === 1 ? [pid] : childrenOf(pid)
    const counter = { echoes: 0 }
    const sockets = await Promise.all(Array.from({ length: CLIENTS }, () => echo(port, counter)))
    await sleep(1000)
    const before = { echoes: counter.echoes, cpu: cpuOf(pids), at: performance.now() }
    await sleep(seconds * 1000)
    const echoes = counter.echoes - before.echoes
    const spent = cpuOf(pids) - before.cpu
    const elapsed = (performance.now() - before.at) / 1000
    for (const socket of sockets) socket.destroy()
    return { rate: echoes / elapsed, cost: (spent / echoes) * 1e6 }
  } finally {
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
}

export const workers: Scenario = {
  title: `echoes of ${SIZE} bytes, by one worker and by two`,
  async run(context) {
    const { seconds: wished, rounds: times, quick } = context.wishes
    const seconds = wished ?? (quick ? 1 : 10)
    const rounds: Record<string, Figures>[] = []
    for (let i = 0; i < (times ?? (quick ? 1 : 5)); i++) {
      context.progress(`round ${i + 1}: one, then two, ${seconds} s each`)
      rounds.push({ one: await measure(context, 1, seconds), two: await measure(context, 2, seconds) })
    }
    const ratio = (what: string): number =>
      median(rounds.map(({ one = {}, two = {} }) => of(two, what) / of(one, what)))
    const cores = availableParallelism()
    const rate: Bar[] =
      cores >= CORES ? [judge('rate of two to that of one', ratio('rate'), 'at least', FASTER, '')] : []
    if (cores < CORES)
      context.progress(`${cores} cores: the rate is not judged, two workers and the clients need ${CORES}`)
    return {
      rounds,
      bars: [
        ...rate,
        judge('CPU of two for an echo, to one', ratio('cost'), 'at most', cores >= CORES ? DEARER : DEARER_SHARED, ''),
      ],
    }
  },
}
