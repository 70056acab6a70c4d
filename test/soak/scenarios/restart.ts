import { createFolder } from '../../../bench/build.ts'
import { findFreePort } from '../../../lib/engine/free-port.ts'
import { GatewayCommand } from '../crash/command.ts'
import { type Draft, pageThrough, Poster, postAll } from '../crash/poster.ts'
import { type Figures, of } from '../messages.ts'
import { Mirror } from '../restart/mirror.ts'
import { type Context, judge, type Scenario } from '../scenario.ts'

const CONNECTIONS = 20

interface Plan {
  readonly rounds: number
  readonly clients: number
  /** Messages of a round: fewer than a count of what is unread goes up to. */
  readonly posts: number
}

const toPlan = ({ wishes: { rounds, clients, quick } }: Context): Plan => ({
  rounds: rounds ?? (quick ? 2 : 10),
  clients: clients ?? (quick ? 3 : 20),
  posts: quick ? 200 : 4000,
})

/** Messages that a client has otherwise than the server. */
const differences = (mirror: ReadonlyMap<string, string>, all: readonly { id: string; content: string }[]): number =>
  Math.abs(mirror.size - all.length) + all.filter(({ id, content }) => mirror.get(id) !== content).length

/** One world, on which the same clients stay while the server restarts. */
class Town {
  readonly #folder: string
  readonly #context: Context
  #command: GatewayCommand
  readonly #owner: Poster
  readonly #others: Poster[] = []
  #server = ''

  private constructor(folder: string, context: Context, command: GatewayCommand) {
    this.#folder = folder
    this.#context = context
    this.#command = command
    this.#owner = new Poster(command.port, CONNECTIONS)
  }

  static async found(context: Context, clients: number): Promise<Town> {
    const folder = createFolder('fiberws-restart-')
    // A port that the system chooses for uWebSockets.js cannot be had again for a minute.
    const port = await findFreePort('127.0.0.1', 0)
    const town = new Town(folder, context, await GatewayCommand.start(folder, context.engine, {}, port))
    await town.#owner.register('ada')
    town.#server = await town.#owner.make('/servers', { name: 'Harbour', is_public: true })
    for (let i = 0; i < clients; i++) {
      const other = new Poster(town.#command.port, 2)
      await other.register(`member_${i}`)
      await other.get(201, 'POST', `/servers/${town.#server}/join`)
      town.#others.push(other)
    }
    return town
  }

  /** Messages, a restart somewhere amid them, and what everybody has in the end. */
  async round(number: number, posts: number): Promise<Figures> {
    const channel = await this.#owner.make(`/servers/${this.#server}/channels`, {
      name: `pier-${number}`,
      type: 'text',
    })
    const mirrors = this.#others.map((other) => new Mirror(other, channel))
    for (const mirror of mirrors) mirror.start()
    for (const mirror of mirrors) await mirror.has(0)
    const drafts = Array.from({ length: posts }, (_, i) => ({ content: `message ${i}`, key: `${number}-${i}` }))
    const answered = new Map<string, string>()
    await this.#postAndRestart(channel, drafts, answered, number % 2 === 0)
    const before = answered.size
    const left = drafts.filter(({ key }) => !answered.has(key))
    await postAll(this.#owner, channel, left, CONNECTIONS, ({ key }, id) => void answered.set(key, id))
    await Promise.all(mirrors.map((mirror) => mirror.has(posts)))
    const all = await pageThrough(this.#owner, channel)
    const ids = new Set(all.map(({ id }) => id))
    const found = {
      'answered before': before,
      'lost': [...answered.values()].filter((id) => !ids.has(id)).length + Math.abs(posts - all.length),
      'different': mirrors.reduce((sum, { messages }) => sum + differences(messages, all), 0),
      'unread otherwise': mirrors.filter(({ unread }) => unread !== posts).length,
      'twice': mirrors.reduce((sum, { twice }) => sum + twice, 0),
      'without a READY': mirrors.filter(({ returns }) => returns.anew !== 2).length,
      'resumed': mirrors.reduce((sum, { returns }) => sum + returns.resumed, 0),
    }
    await Promise.all(mirrors.map((mirror) => mirror.stop()))
    return found
  }

  /** `gently`: as an operator does, with SIGTERM; else it is killed. The next one has the same port. */
  async #postAndRestart(
    channel: string,
    drafts: readonly Draft[],
    answered: Map<string, string>,
    gently: boolean,
  ): Promise<void> {
    const enough = Math.ceil(drafts.length * (0.1 + 0.8 * Math.random()))
    let ended: Promise<void> | null = null
    const end = (): Promise<void> => (gently ? this.#command.stop() : this.#command.kill())
    await postAll(this.#owner, channel, drafts, CONNECTIONS, ({ key }, id) => {
      answered.set(key, id)
      if (answered.size >= enough) ended ??= end()
    })
    await (ended ?? end())
    this.#command = await GatewayCommand.start(this.#folder, this.#context.engine, {}, this.#command.port)
  }

  async leave(): Promise<void> {
    for (const poster of [this.#owner, ...this.#others]) poster.destroy()
    await this.#command.stop()
  }
}

export const restart: Scenario = {
  title: 'a gateway that is stopped or killed amid messages and starts again: what its clients have in the end',
  async run(context) {
    const plan = toPlan(context)
    const town = await Town.found(context, plan.clients)
    const rounds: Record<string, Figures>[] = []
    for (let i = 1; i <= plan.rounds; i++) {
      const found = await town.round(i, plan.posts)
      rounds.push({ restart: found })
      context.progress(`round ${i} of ${plan.rounds}: ${JSON.stringify(found)}`)
    }
    await town.leave()
    const sum = (name: string): number => rounds.reduce((total, round) => total + of(round['restart'] ?? {}, name), 0)
    const none = (title: string, name: string) => judge(title, sum(name), 'exactly', 0, '')
    return {
      rounds,
      bars: [
        none('answered, and not there once', 'lost'),
        none('messages that a client has otherwise', 'different'),
        none('clients that count other unread ones', 'unread otherwise'),
        none('messages that were told twice', 'twice'),
        none('clients that had no new READY', 'without a READY'),
        none('clients that were told they go on', 'resumed'),
      ],
    }
  },
}
