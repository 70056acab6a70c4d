/** Clients of a gateway that are cut all at once and come back, in a process of their own. */
import { constants, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf } from '../../../bench/servers/world.ts'
import { answer, tell } from '../answers.ts'
import { type Figures } from '../messages.ts'
import { openPeer, openPeers, type Peer } from '../peers/peer.ts'
import { isMembersCommand, type MembersCommand } from './commands.ts'

/** Milliseconds before a client tries again: it doubles up to the second one, and as much again by chance. */
const [FIRST, LAST] = [1000, 30_000]
/** The beginning of a frame says what it is, and which number it has. */
const HEAD = 80

class Member {
  readonly #token: string
  readonly #resumes: boolean
  #peer: Peer | null = null
  #session: string | null = null
  #seq = 0
  /** Told when it was told what is, or what was missed. */
  #there: (resumed: boolean) => void = () => {}
  attempts = 0

  constructor(account: number, resumes: boolean) {
    this.#token = tokenOf(account)
    this.#resumes = resumes
  }

  /** Resolves with whether it went on where it was. */
  async enter(port: number): Promise<boolean> {
    this.attempts++
    const path = `/ws?bot_token=${this.#token}`
    const going = this.#session === null ? 'resume=1' : `resume=${this.#session}&seq=${this.#seq}`
    const there = new Promise<boolean>((resolve) => (this.#there = resolve))
    this.#peer = await openPeer(port, this.#resumes ? `${path}&${going}` : path, (opcode, payload) => {
      if (opcode === 1) this.#take(payload)
    })
    const gone = this.#peer.closed.then(() => Promise.reject(new Error('the connection has ended')))
    return Promise.race([there, gone])
  }

  #take(payload: Buffer): void {
    const head = payload.toString('latin1', 0, HEAD)
    const [, seq] = /^{"op":"DISPATCH","t":"\w+","s":(\d+)/.exec(head) ?? []
    if (seq !== undefined) this.#seq = Number(seq)
    if (head.includes('"t":"READY"')) {
      this.#session = /"session_id":"([^"]+)"/.exec(payload.toString())?.[1] ?? null
      this.#there(false)
    } else if (head.includes('"t":"RESUMED"')) this.#there(true)
  }

  get isThere(): boolean {
    return this.#peer?.socket.destroyed === false
  }

  cut(): void {
    this.#peer?.socket.resetAndDestroy()
  }

  /** As a client that waits longer each time. */
  async comeBack(port: number): Promise<boolean> {
    for (let wait = FIRST; ; wait = Math.min(LAST, wait * 2)) {
      await sleep(wait * (1 + Math.random()))
      try {
        return await this.enter(port)
      } catch {
        // Once more.
      }
    }
  }
}

let port = 0
let members: readonly Member[] = []

async function cut(seconds: number): Promise<Figures> {
  const found = { resumed: 0, anew: 0 }
  const began = performance.now()
  let took = 0
  for (const member of members) {
    member.attempts = 0
    member.cut()
  }
  const cutting = performance.now() - began
  const back = Promise.all(
    members.map(async (member) => {
      found[(await member.comeBack(port)) ? 'resumed' : 'anew']++
      took = (performance.now() - began) / 1000
    }),
  )
  const late = new AbortController()
  await Promise.race([back, sleep(seconds * 1000, undefined, { signal: late.signal })])
  late.abort()
  const attempts = members.reduce((sum, one) => sum + one.attempts, 0)
  return { ...found, took, cutting, attempts, away: members.length - found.resumed - found.anew }
}

async function run(command: MembersCommand): Promise<Figures> {
  if (command.do === 'cut') return cut(command.seconds)
  if (command.do === 'count') return { there: members.filter(({ isThere }) => isThere).length }
  port = command.port
  members = await openPeers(command.count, async (i) => {
    const member = new Member(i, command.resumes)
    await member.enter(port)
    return member
  })
  return { entered: members.length }
}

// They stand for machines of their own: the server and the others do not wait for them.
setPriority(constants.priority.PRIORITY_LOW)
answer(isMembersCommand, run)
tell({})
