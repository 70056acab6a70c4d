/** Those who are not cut, one in each server: they write messages, and hear how long each takes. In a process of their own. */
import { createHistogram } from 'node:perf_hooks'
import { tokenOf } from '../../../bench/servers/world.ts'
import { answer, tell } from '../answers.ts'
import { Poster } from '../crash/poster.ts'
import type { Figures } from '../messages.ts'
import { openPeer, openPeers, type Peer } from '../peers/peer.ts'
import { isOthersCommand, type OthersCommand } from './commands.ts'

interface Other {
  readonly channel: string
  readonly poster: Poster
  readonly peer: Peer
}

let others: readonly Other[] = []
/** Messages that have not come back, by what they say; when they were due. */
const waiting = new Map<string, number>()
let number = 0
let failed = 0
// Microseconds.
let heard = createHistogram()
let timer: NodeJS.Timeout | null = null
let whenHeard: () => void = () => {}

function take(payload: Buffer): void {
  if (!payload.toString('latin1', 0, 64).includes('"MESSAGE_CREATE"')) return
  const said = /"content":"([^"]*)"/.exec(payload.toString())?.[1] ?? ''
  const due = waiting.get(said)
  if (due === undefined) return
  waiting.delete(said)
  heard.record(Math.max(1, Math.round((performance.now() - due) * 1000)))
  if (waiting.size === 0) whenHeard()
}

function say(due: number): void {
  const said = `message ${number}`
  const other = others[number++ % others.length]
  if (other === undefined) return
  waiting.set(said, due)
  other.poster.get(201, 'POST', `/channels/${other.channel}/messages`, { content: said }).catch(() => {
    failed++
    waiting.delete(said)
  })
}

/** At times of their own, whatever the server does. */
function talk(rate: number): void {
  const start = performance.now()
  let done = 0
  timer = setInterval(() => {
    for (; done < ((performance.now() - start) * rate) / 1000; done++) say(start + (done * 1000) / rate)
  }, 1)
}

function look(forget: boolean): Figures {
  const found = heard
  if (forget) heard = createHistogram()
  const [p50, p95, p99, max] = [
    found.percentile(50) / 1000,
    found.percentile(95) / 1000,
    found.percentile(99) / 1000,
    found.max / 1000,
  ]
  return { p50, p95, p99, max, count: found.count, failed, waiting: waiting.size }
}

async function run(command: OthersCommand): Promise<Figures> {
  switch (command.do) {
    case 'enter': {
      const { port, first, channels } = command
      others = await openPeers(channels.length, async (i) => {
        const token = tokenOf(first + i)
        const poster = Object.assign(new Poster(port, 1), { token, bot: true })
        const peer = await openPeer(port, `/ws?bot_token=${token}`, (opcode, payload) => {
          if (opcode === 1) take(payload)
        })
        return { channel: channels[i] ?? '', poster, peer }
      })
      return { entered: others.length }
    }
    case 'talk':
      talk(command.rate)
      return {}
    case 'look':
      return look(command.forget)
    case 'hush':
  }
  if (timer !== null) clearInterval(timer)
  if (waiting.size > 0) await new Promise<void>((resolve) => (whenHeard = resolve))
  return look(true)
}

answer(isOthersCommand, run)
tell({})
