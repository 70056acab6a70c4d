import { findFreePort } from '../engine/free-port.ts'
import { toReport } from '../observe/report.ts'
import type { Settings } from '../web/config/settings.ts'
import type { Report, Reporter, Snapshot } from '../web/observer.ts'
import { Crew, type Member } from './crew.ts'
import type { FromWorker, Started } from './messages.ts'
import { PORTS } from './worker.ts'

/** Milliseconds that a worker has to tell about itself. */
const PATIENCE = 2000

/** What is known of a worker that does not answer. */
const SILENT: Snapshot = { ready: false, metrics: [], closes: [] }

/** Answers of the members to one question. */
class Round<T> {
  readonly answers = new Map<Member, T>()
  readonly done: Promise<void>
  #resolve: () => void = () => {}
  readonly #crew: Crew

  constructor(crew: Crew) {
    this.#crew = crew
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  answer(member: Member, value: T): void {
    this.answers.set(member, value)
    this.look()
  }

  /** Who has gone does not answer. */
  look(): void {
    const { members } = this.#crew
    if (members.every((member) => member.worker === null || this.answers.has(member))) this.#resolve()
  }
}

/** The process that keeps the others: it hands on what they publish, and answers for all. */
export class Primary implements Reporter {
  readonly #crew: Crew
  /** Of the first member that has started. */
  #started: Started | null = null
  readonly #starts: Round<string | null>
  #reloads: Round<string | null> | null = null
  #snapshots: Round<Snapshot> | null = null
  #gone: () => void = () => {}

  private constructor(settings: Settings, ports: readonly number[]) {
    this.#crew = new Crew(settings.workers, { [PORTS]: ports.join(',') }, this)
    this.#starts = new Round(this.#crew)
  }

  /** Starts all workers. Rejects with the system's error, or with what the first says that cannot start. */
  static async start(settings: Settings): Promise<{ readonly primary: Primary; readonly started: Started }> {
    // One after the other: two may want the same.
    const ports: number[] = []
    for (const { host, port } of settings.endpoints) ports.push(await findFreePort(host, port))
    const primary = new Primary(settings, ports)
    await primary.#starts.done
    const error = [...primary.#starts.answers.values()].find((answer) => answer !== null) ?? null
    if (error === null && primary.#started !== null) return { primary, started: primary.#started }
    await primary.stop()
    throw new Error(error ?? 'The workers have ended before they had started')
  }

  /** Resolves when all workers have gone. */
  async stop(): Promise<void> {
    this.#crew.leave()
    for (const member of this.#crew.members) this.#crew.send(member, { kind: 'stop' })
    if (this.#crew.empty) return
    await new Promise<void>((resolve) => {
      this.#gone = resolve
    })
  }

  /** All workers read the config again: null, or what the first says that cannot. */
  async reload(): Promise<string | null> {
    const round = new Round<string | null>(this.#crew)
    this.#reloads = round
    for (const member of this.#crew.members) this.#crew.send(member, { kind: 'reload' })
    await round.done
    return [...round.answers.values()].find((error) => error !== null) ?? null
  }

  report(path: string): Promise<Report | null> {
    return toReport(path, async () => [...(await this.#ask()), this.#own()])
  }

  /** What each worker knows. */
  async #ask(): Promise<Snapshot[]> {
    if (this.#snapshots === null) {
      const round = new Round<Snapshot>(this.#crew)
      this.#snapshots = round
      for (const member of this.#crew.members) this.#crew.send(member, { kind: 'ask' })
    }
    const round = this.#snapshots
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE)
    })
    await Promise.race([round.done, late])
    clearTimeout(timer)
    if (this.#snapshots === round) this.#snapshots = null
    return this.#crew.members.map((member) => round.answers.get(member) ?? SILENT)
  }

  /** What only this process knows. */
  #own(): Snapshot {
    const restarts = {
      name: 'fiberws_worker_restarts_total',
      help: 'Workers that have ended, and were started again',
      type: 'counter',
      aggregator: 'sum',
      values: [{ value: this.#crew.restarts, labels: {} }],
    }
    return { ready: true, metrics: [restarts], closes: [] }
  }

  received(member: Member, message: FromWorker): void {
    if (message.kind === 'publish') this.#crew.publish(message)
    else if (message.kind === 'snapshot') this.#snapshots?.answer(member, message.snapshot)
    else if (message.kind === 'reloaded') this.#reloads?.answer(member, message.error)
    else if (message.kind === 'failed') this.#starts.answer(member, message.error)
    else {
      this.#started ??= message
      this.#starts.answer(member, null)
    }
  }

  ended(): void {
    this.#starts.look()
    this.#reloads?.look()
    this.#snapshots?.look()
    if (this.#crew.empty) this.#gone()
  }
}
