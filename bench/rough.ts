/**
 * A first measurement, until the harness is here: server CPU per message, ours on the node engine against `ws`, each
 * server in a process of its own, rounds interleaved, medians. `npx tsx bench/rough.ts [seconds per round] [rounds]`
 */
import { type ChildProcess, fork } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { nodeEngine } from '../lib/engine/node/server.ts'
import { webSocketSetRaw, webSocketSetView } from '../lib/websock/handle.ts'
import { webSocketRun } from '../lib/websock/run.ts'
import { webSocketSendBlock } from '../lib/websock/send.ts'
import { webSocketPublish, webSocketSubscribe } from '../lib/websock/topics.ts'
import { parts } from '../lib/parts.ts'
import { createHost } from '../lib/web/host.ts'

type Send = (message: unknown) => void
const send: Send = (message) => process.send?.(message)

/** A message 'fan' is for everybody, anything else comes back. */
async function ours(mode: 'string' | 'view'): Promise<number> {
  const web = { engine: 'node', listen: 'http://127.0.0.1:0', limits: { maxMessage: '64MB', maxFrame: 0 } } as const
  const host = createHost(
    { web: { ...web, timeouts: { inactivity: 'never' }, routes: [{ handler: 'action' }] } },
    parts,
  )
  host.addAction('/', (request) => {
    const ws = request.webSocket
    webSocketSetView(ws, mode === 'view')
    webSocketSetRaw(ws, mode === 'view')
    const fan = request.query === 'fan'
    return webSocketRun(ws, (_ws, event, buf) => {
      if (event === 0 && fan) webSocketSubscribe(ws, 'all')
      if (event !== 1 || ws === null) return
      if (fan) webSocketPublish(ws.topics, 'all', buf ?? '')
      else webSocketSendBlock(ws, ws.type, buf)
    })
  })
  await host.start()
  return host.listening[0]?.port ?? 0
}

async function theirs(): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  server.on('connection', (ws, request) => {
    const fan = request.url?.endsWith('fan')
    ws.on('message', (data, isBinary) => {
      if (!fan) return ws.send(data, { binary: isBinary })
      for (const client of server.clients) client.send(data, { binary: isBinary })
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const servers = { 'ws': theirs, 'ours string': () => ours('string'), 'ours view': () => ours('view') }
type Name = keyof typeof servers
const isName = (name: string | undefined): name is Name => name !== undefined && Object.hasOwn(servers, name)

interface Workload {
  readonly name: string
  readonly connections: number
  readonly inFlight: number
  readonly size: number
  readonly fan?: boolean
}

const workloads: Workload[] = [
  { name: 'echo 64 B, 1 in flight', connections: 50, inFlight: 1, size: 64 },
  { name: 'echo 64 B, 16 in flight', connections: 50, inFlight: 16, size: 64 },
  { name: 'echo 1 KB, 1 in flight', connections: 50, inFlight: 1, size: 1024 },
  { name: 'echo 64 KB, 1 in flight', connections: 20, inFlight: 1, size: 65_536 },
  { name: 'fan-out to 1,000', connections: 1000, inFlight: 1, size: 64, fan: true },
]

function masked(size: number): Buffer {
  const length =
    size < 126
      ? [0x80 | size]
      : size < 65_536
        ? [0xfe, size >> 8, size & 255]
        : [0xff, 0, 0, 0, 0, 0, size >> 16, (size >> 8) & 255, size & 255]
  const mask = [1, 2, 3, 4]
  const body = Buffer.alloc(size, 'a').map((byte, i) => byte ^ mask[i & 3]!)
  return Buffer.concat([Buffer.from([0x81, ...length, ...mask]), body])
}

async function open(port: number, fan: boolean): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.write(
    `GET /?${fan ? 'fan' : 'echo'} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  )
  await new Promise((resolve) => socket.once('data', resolve))
  return socket
}

const ask = (child: ChildProcess, question: string): Promise<number> =>
  new Promise((resolve) => {
    child.once('message', (answer) => resolve(Number(answer)))
    child.send(question)
  })

/** Microseconds of server CPU per message received by a client. */
async function measure(
  name: Name,
  { connections, inFlight, size, fan = false }: Workload,
  ms: number,
): Promise<number> {
  const child = fork(fileURLToPath(import.meta.url), [name], { execArgv: ['--import', 'tsx'] })
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(Number(message))))
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port, fan)))
  const one = masked(size)
  const batch = Buffer.concat(Array.from({ length: inFlight }, () => one))
  const answer = (size < 126 ? 2 : size < 65_536 ? 4 : 10) + size
  let bytes = 0
  for (const [i, socket] of sockets.entries()) {
    let left = fan ? 0 : answer * inFlight
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (fan) return
      left -= chunk.length
      if (left > 0) return
      left = answer * inFlight
      socket.write(batch)
    })
    if (!fan) socket.write(batch)
    else if (i === 0) {
      // One publisher, paced by what it gets back itself.
      let own = answer
      socket.on('data', (chunk: Buffer) => {
        own -= chunk.length
        if (own > 0) return
        own = answer
        socket.write(one)
      })
      socket.write(one)
    }
  }
  await new Promise((resolve) => setTimeout(resolve, ms / 2))
  const [before, cpu] = [bytes, await ask(child, 'cpu')]
  await new Promise((resolve) => setTimeout(resolve, ms))
  const [messages, used] = [(bytes - before) / answer, (await ask(child, 'cpu')) - cpu]
  for (const socket of sockets) socket.destroy()
  child.kill('SIGKILL')
  return used / messages
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

async function main(): Promise<void> {
  const ms = Number(process.argv[2] ?? 2) * 1000
  const rounds = Number(process.argv[3] ?? 5)
  console.log(
    `server CPU per message in µs, ${nodeEngine.name} ${process.version}, medians of ${rounds} rounds of ${ms} ms`,
  )
  for (const workload of workloads) {
    const results = new Map<string, number[]>()
    for (let round = 0; round < rounds; round++) {
      for (const name of Object.keys(servers).filter(isName)) {
        results.set(name, [...(results.get(name) ?? []), await measure(name, workload, ms)])
      }
    }
    const base = median(results.get('ws') ?? [])
    const cells = [...results].map(([name, all]) => {
      const value = median(all)
      return `${name} ${value.toFixed(2)} (${(value / base).toFixed(2)}, ${Math.min(...all).toFixed(2)}-${Math.max(...all).toFixed(2)})`
    })
    console.log(`${workload.name.padEnd(24)} ${cells.join('   ')}`)
  }
}

const role = process.argv[2]
if (isName(role) && process.send !== undefined) {
  send(await servers[role]())
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    send(user + system)
  })
} else {
  await main()
}
