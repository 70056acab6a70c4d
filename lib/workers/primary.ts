import { toReport } from '../observe/report.ts'
import type { Settings } from '../web/config/settings.ts'
import type { Report, Reporter, Snapshot } from '../web/observer.ts'
import { rereadCertificates } from '../web/certificates.ts'
import { describe } from '../web/listening.ts'
import { within } from '../web/within.ts'
import { rError } from '../websock/log.ts'
import { Crew, type Member } from './crew.ts'
import { History } from './history.ts'
import type { FromWorker, Started } from './messages.ts'
import { Round } from './round.ts'
import { Ports, toShare } from './share.ts'

/** Milliseconds that a worker has to tell about itself: who asks for it waits a second often. */
const PATIENCE = 500
/** Milliseconds after which it is said that a worker still has not gone on with other settings. */
const LATE = 2000
/** Milliseconds beyond all that a stop may take, until a worker that hangs is ended. */
const GRACE = 5000

/** The process that keeps the others: it hands on what they publish, and answers for all. */
export class Primary implements Reporter {
  readonly #workers: number
  readonly #crew: Crew
  readonly #ports: Ports
  readonly #history = new History()
  /** What is in force, as one of them has it. */
  #share: Settings
  #starting = true
  /** Of the first member that has started. */
  #started: Started | null = null
  readonly #starts: Round<string | null>
  #reloads: Round<string | null> | null = null
  #reloading: Promise<unknown> = Promise.resolve()
  #snapshots: Round<Snapshot> | null = null
  #gone: () => void = () => {}

  private constructor(workers: number, share: Settings, ports: Ports) {
    this.#workers = workers
    this.#share = share
    this.#ports = ports
    this.#crew = new Crew(workers, this)
    this.#starts = new Round(this.#crew, this.#crew.members)
  }

  /** Starts all workers. Rejects with the system's error, or with what the first says that cannot start. */
  static async start(settings: Settings): Promise<{ readonly primary: Primary; readonly started: Started }> {
    const ports = new Ports()
    const { workers } = settings
    const share = toShare(settings, await ports.resolve(settings.endpoints, true), workers)
    const primary = new Primary(workers, share, ports)
    await primary.#starts.done
    primary.#starting = false
    const error = primary.#starts.find((answer) => answer !== null) ?? null
    if (error === null && primary.#started !== null) return { primary, started: primary.#started }
    await primary.stop()
    throw new Error(error ?? 'The workers have ended before they had started')
  }

  /** Resolves when all workers have gone. */
  async stop(): Promise<void> {
    this.#crew.leave()
    for (const member of this.#crew.members) this.#crew.send(member, { kind: 'stop' })
    if (this.#crew.empty) return
    const { drain, drainRate, server } = this.#share
    const longest = (server.maxConnections / drainRate) * 1000 + 2 * drain + GRACE
    const timer = Number.isFinite(longest) ? setTimeout(() => this.#crew.kill(), longest) : undefined
    await new Promise<void>((resolve) => {
      this.#gone = resolve
    })
    clearTimeout(timer)
  }

  /** At once, without a word. */
  kill(): void {
    this.#crew.leave()
    this.#crew.kill()
  }

  /** All workers go on with other settings: null; or none does, and what the first says that cannot. One reload after the other. */
  reload(settings: Settings): Promise<string | null> {
    const reloaded = this.#reloading.then(() => this.#reload(settings)).catch(describe)
    this.#reloading = reloaded
    return reloaded
  }

  async #reload(settings: Settings): Promise<string | null> {
    const before = this.#share
    const endpoints = await this.#ports.resolve(settings.endpoints, false)
    // Who is started later observes as the others do.
    const share = { ...toShare(settings, endpoints, this.#workers), observe: before.observe }
    const round = await this.#tell(share, this.#crew.listeners)
    const error = round.find((answer) => answer !== null) ?? null
    if (error !== null) {
      // Who was being started has said nothing of it.
      const others = this.#crew.listeners.filter((member) => typeof round.answers.get(member) !== 'string')
      await this.#tell(before, others)
    }
    return error
  }

  /** Settings for some, and for who is just being started. */
  async #tell(settings: Settings, members: readonly Member[]): Promise<Round<string | null>> {
    const round = new Round<string | null>(this.#crew, members)
    this.#reloads = round
    this.#share = settings
    for (const member of members) this.#crew.send(member, { kind: 'reload', settings })
    round.look()
    const timer = setTimeout(() => {
      for (const member of members)
        if (!round.answers.has(member)) rError('reload', 'worker %d hangs: still waiting for it', member.number)
    }, LATE)
    await round.done
    clearTimeout(timer)
    return round
  }

  /** What a worker starts with: certificates may be others than at the start of the first. */
  #current(): Settings {
    try {
      return { ...this.#share, endpoints: rereadCertificates(this.#share.endpoints) }
    } catch {
      // While they are being written: the worker looks again.
      return this.#share
    }
  }

  report(path: string): Promise<Report | null> {
    return toReport(path, async () => [...(await this.#ask()), this.#own()])
  }

  /** What each worker knows. */
  async #ask(): Promise<Snapshot[]> {
    if (this.#snapshots === null) {
      this.#snapshots = new Round<Snapshot>(this.#crew)
      for (const member of this.#crew.members) this.#crew.send(member, { kind: 'ask' })
      this.#snapshots.look()
    }
    const round = this.#snapshots
    await within(round.done, PATIENCE)
    if (this.#snapshots === round) this.#snapshots = null
    return this.#crew.members.map((member) => round.answers.get(member) ?? this.#history.latest(member))
  }

  /** What only this process knows: how often workers have ended, and what those had counted. */
  #own(): Snapshot {
    const restarts = {
      name: 'fiberws_worker_restarts_total',
      help: 'Workers that have ended, and were started again',
      type: 'counter',
      aggregator: 'sum',
      values: [{ value: this.#crew.restarts, labels: {} }],
    }
    return { ready: false, metrics: [restarts, ...this.#history.metrics], closes: [] }
  }

  received(member: Member, message: FromWorker): void {
    switch (message.kind) {
      case 'hello':
        member.listens = true
        return this.#crew.send(
          member,
          this.#crew.leaving ? { kind: 'stop' } : { kind: 'start', settings: this.#current() },
        )
      case 'started':
        this.#started ??= message
        return this.#starts.answer(member, null)
      case 'failed':
        // At the start one sentence is enough, and nobody is started again.
        if (this.#starting) this.#crew.leave()
        else rError('workers', 'worker %d cannot start: %s', member.number, message.error)
        return this.#starts.answer(member, message.error)
      case 'reloaded':
        return this.#reloads?.answer(member, message.error)
      case 'snapshot':
        this.#history.note(member, message.snapshot)
        return this.#snapshots?.answer(member, message.snapshot)
      case 'publish':
        return this.#crew.publish(member, message)
    }
  }

  ended(member: Member): void {
    this.#history.close(member)
    this.#starts.look()
    this.#reloads?.look()
    this.#snapshots?.look()
    if (this.#crew.empty) this.#gone()
  }
}
