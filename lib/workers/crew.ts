import cluster, { type Worker } from 'node:cluster'
import { rError } from '../websock/log.ts'
import { type FromPrimary, type FromWorker, isFromWorker, MOST_WAITING, type Publication, sizeOf } from './messages.ts'

/** Milliseconds until a worker that has ended comes back: twice as long each time, up to the longest. */
const SHORTEST = 100
const LONGEST = 30_000
/** Milliseconds after which a worker counts as one that works. */
const STABLE = 10_000
/** Milliseconds in which a worker that hangs has taken nothing of what it was sent, where that is much: others wait for it. */
const HANGS = 5000
const MUCH = MOST_WAITING / 2
/** Milliseconds between two looks for one. */
const LOOK = 1000

/** One of the processes: its number stays, the process may be another. */
export interface Member {
  readonly number: number
  worker: Worker | null
  /** It hears what it is told. */
  listens: boolean
  /** Called when it has taken what was published; one each. */
  readonly pending: Set<() => void>
  /** Bytes on their way to it, and when it has taken some, in milliseconds. */
  waiting: number
  movedAt: number
  /** Bytes of its own that all have taken, which it has yet to hear of. */
  taken: number
  startedAt: number
  delay: number
  timer: NodeJS.Timeout | null
}

export const createMember = (number: number): Member => ({
  number,
  worker: null,
  listens: false,
  pending: new Set(),
  waiting: 0,
  movedAt: 0,
  taken: 0,
  startedAt: 0,
  delay: SHORTEST,
  timer: null,
})

/** What is done about members. */
export interface CrewOwner {
  received(member: Member, message: FromWorker): void
  /** Its process has ended. */
  ended(member: Member): void
}

/** So many processes of this program: who ends is started again. */
export class Crew {
  readonly members: readonly Member[]
  /** Processes that were started in place of others. */
  restarts = 0
  readonly #owner: CrewOwner
  #leaving = false
  readonly #timer = setInterval(() => this.#endThoseThatHang(), LOOK).unref()

  constructor(size: number, owner: CrewOwner) {
    this.#owner = owner
    this.members = Array.from({ length: size }, (_, number) => createMember(number))
    // Bytes travel as they are.
    cluster.setupPrimary({ serialization: 'advanced' })
    for (const member of this.members) this.#start(member)
  }

  get empty(): boolean {
    return this.members.every(({ worker }) => worker === null)
  }

  /** Who hears what they are told. */
  get listeners(): readonly Member[] {
    return this.members.filter(({ listens }) => listens)
  }

  /** Who does not listen yet will be told how things are then. */
  send(member: Member, message: FromPrimary, sent: () => void = () => {}): void {
    const { worker, listens } = member
    if (worker === null || !listens || !worker.isConnected()) return sent()
    worker.process.send(message, undefined, undefined, sent)
  }

  /** To everybody, in the order of the calls. Its publisher is told when all have it, or have gone. */
  publish(publisher: Member, { topic, data, binary }: Publication): void {
    const size = sizeOf({ data })
    const from = publisher.worker
    const { listeners } = this
    let left = listeners.length
    for (const member of listeners) {
      if (member.waiting === 0) member.movedAt = performance.now()
      member.waiting += size
      const taken = (): void => {
        // Of one that has ended node does not always tell.
        if (!member.pending.delete(taken)) return
        member.waiting -= size
        member.movedAt = performance.now()
        if (--left === 0 && publisher.worker === from) this.#tellTaken(publisher, size)
      }
      member.pending.add(taken)
      this.send(member, { kind: 'publish', topic, data, binary }, taken)
    }
  }

  /** Once for all of one turn of the event loop. */
  #tellTaken(member: Member, size: number): void {
    const { worker } = member
    member.taken += size
    if (member.taken > size) return
    setImmediate(() => {
      if (member.worker !== worker) return
      this.send(member, { kind: 'taken', bytes: member.taken })
      member.taken = 0
    })
  }

  #endThoseThatHang(): void {
    for (const { waiting, movedAt, worker } of this.members)
      if (waiting > MUCH && performance.now() - movedAt > HANGS) worker?.process.kill('SIGKILL')
  }

  get leaving(): boolean {
    return this.#leaving
  }

  /** At once. */
  kill(): void {
    for (const { worker } of this.members) worker?.process.kill('SIGKILL')
  }

  /** Nobody is started again from here on. */
  leave(): void {
    this.#leaving = true
    clearInterval(this.#timer)
    for (const { timer } of this.members) if (timer !== null) clearTimeout(timer)
  }

  #start(member: Member): void {
    const worker = cluster.fork()
    Object.assign(member, { worker, listens: false, taken: 0, startedAt: performance.now(), timer: null })
    worker.on('message', (message: unknown) => {
      if (isFromWorker(message)) this.#owner.received(member, message)
    })
    // A channel that breaks is followed by 'exit'.
    worker.on('error', () => {})
    worker.on('exit', (code: number | null, signal: string | null) => this.#ended(member, signal ?? `code ${code}`))
  }

  #ended(member: Member, how: string): void {
    const { worker, startedAt } = member
    member.worker = null
    member.listens = false
    for (const taken of member.pending) taken()
    this.#owner.ended(member)
    if (this.#leaving) return
    if (performance.now() - startedAt > STABLE) member.delay = SHORTEST
    rError(
      'workers',
      'worker %d, process %d, has ended with %s: the next one comes in %d ms',
      member.number,
      worker?.process.pid,
      how,
      member.delay,
    )
    member.timer = setTimeout(() => {
      this.restarts++
      this.#start(member)
    }, member.delay)
    member.delay = Math.min(LONGEST, 2 * member.delay)
  }
}
