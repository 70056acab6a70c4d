import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createFolder } from '../../../bench/build.ts'
import { GatewayCommand } from '../crash/command.ts'
import { inspect, readLog, type Row, tryCut } from '../crash/inspect.ts'
import { type Draft, pageThrough, Poster, postAll } from '../crash/poster.ts'
import { type Figures, of } from '../messages.ts'
import { type Context, judge, type Scenario } from '../scenario.ts'

const CONNECTIONS = 50
/** Rounds on one world: each copy of it is looked through, which takes the longer the more there is. */
const PER_WORLD = 2

interface Plan {
  readonly rounds: number
  /** Messages of a round, and copies with a log that is cut. */
  readonly posts: number
  readonly cuts: number
}

const toPlan = ({ wishes: { rounds, quick } }: Context): Plan => ({
  rounds: rounds ?? (quick ? 1 : 20),
  posts: quick ? 400 : 10_000,
  cuts: quick ? 8 : 50,
})

/** Where the killed process left its world, as it was then. */
class Wreck {
  readonly #folder: string

  constructor(world: string, into: string) {
    rmSync(into, { recursive: true, force: true })
    mkdirSync(into)
    cpSync(world, into, { recursive: true })
    this.#folder = into
  }

  /** How many copies with a cut log are wrong; each has a prefix of what was there in the end. */
  cutAll(count: number, channel: string, whole: readonly Row[], say: (line: string) => void): Figures {
    const { size, safe } = readLog(this.#folder)
    let [wrong, shorter] = [0, 0]
    for (let i = 0; i < count; i++) {
      // One is whole: so it is seen that copies are read at all.
      const cut = i === 0 ? null : safe + Math.floor(Math.random() * (size - safe))
      const { wrong: found, rows } = tryCut(this.#folder, cut, channel)
      const isPrefix = rows.every(({ id, seq, content }, at) => {
        const there = whole[at]
        return there !== undefined && there.id === id && there.seq === seq && there.content === content
      })
      if (rows.length < whole.length) shorter++
      const isRight = isPrefix && (cut !== null || rows.length === whole.length)
      if (found.length === 0 && isRight) continue
      wrong++
      say(
        `log cut at ${cut ?? 'no place'} of ${size}, from ${safe}: ${isRight ? found.join('; ') : `${rows.length} messages that are not right`}`,
      )
    }
    return { 'copies wrong': wrong, 'copies shorter': shorter, 'log': size, 'log safe': safe }
  }
}

class Round {
  readonly #folder: string
  readonly #context: Context
  readonly #plan: Plan
  readonly #say: (line: string) => void

  constructor(folder: string, context: Context, plan: Plan, say: (line: string) => void) {
    this.#folder = folder
    this.#context = context
    this.#plan = plan
    this.#say = say
  }

  get #world(): string {
    return join(this.#folder, 'world')
  }

  /** Posts, kills, looks; then all that was not answered is sent again. */
  async run(number: number): Promise<Figures> {
    const { engine } = this.#context
    const before = await GatewayCommand.start(this.#folder, engine)
    const poster = new Poster(before.port, CONNECTIONS)
    await poster.register(`poster_${number}`)
    const server = await poster.make('/servers', { name: 'Harbour' })
    const channel = await poster.make(`/servers/${server}/channels`, { name: 'pier', type: 'text' })
    const drafts = Array.from({ length: this.#plan.posts }, (_, i) => ({
      content: `message ${i} of round ${number}`,
      key: `${number}-${i}`,
    }))
    const answered = await this.#postAndKill(before, poster, channel, drafts)
    const answeredBefore = answered.size
    poster.destroy()
    const wreck = new Wreck(this.#world, join(this.#folder, 'wreck'))

    const after = await GatewayCommand.start(this.#folder, engine)
    const again = new Poster(after.port, CONNECTIONS)
    again.token = poster.token
    const kept = await pageThrough(again, channel)
    const lost = this.#compare(answered, kept, 'after the crash')
    const missing = drafts.filter(({ key }) => !answered.has(key))
    await postAll(again, channel, missing, CONNECTIONS, ({ key }, id) => void answered.set(key, id))
    const all = await pageThrough(again, channel)
    const lostLater = this.#compare(answered, all, 'after all were sent again')
    const unanswered = drafts.length - answered.size
    again.destroy()
    await after.stop()

    const { wrong, rows } = inspect(join(this.#world, 'world.db'), channel)
    for (const line of wrong) this.#say(line)
    const contents = new Set(rows.map(({ content }) => content))
    const cuts = wreck.cutAll(this.#plan.cuts, channel, rows.slice(0, kept.length), this.#say)
    return {
      'answered': answeredBefore,
      'kept': kept.length,
      'lost': lost.lost + lostLater.lost + (drafts.length - contents.size),
      'twice': lost.twice + lostLater.twice + (rows.length - contents.size),
      unanswered,
      'wrong in the database': wrong.length,
      ...cuts,
    }
  }

  /** What was answered, by its key. */
  async #postAndKill(
    command: GatewayCommand,
    poster: Poster,
    channel: string,
    drafts: readonly Draft[],
  ): Promise<Map<string, string>> {
    const answered = new Map<string, string>()
    // Somewhere in the middle; and a moment later, so that it is not always behind an answer.
    const enough = Math.ceil(drafts.length * (0.05 + 0.85 * Math.random()))
    const moment = Math.random() * 5
    let killed: Promise<void> | null = null
    await postAll(poster, channel, drafts, CONNECTIONS, ({ key }, id) => {
      answered.set(key, id)
      if (answered.size < enough || killed !== null) return
      killed = new Promise<void>((resolve) => setTimeout(resolve, moment)).then(() => command.kill())
    })
    await (killed ?? command.kill())
    return answered
  }

  /** What was answered is there once; nothing is there twice. */
  #compare(
    answered: ReadonlyMap<string, string>,
    kept: readonly { readonly id: string; readonly content: string }[],
    when: string,
  ): { readonly lost: number; readonly twice: number } {
    const ids = new Set(kept.map(({ id }) => id))
    const contents = new Set(kept.map(({ content }) => content))
    const lost = [...answered.values()].filter((id) => !ids.has(id))
    const twice = kept.length - Math.min(ids.size, contents.size)
    if (lost.length > 0) this.#say(`lost ${when}: ${lost.slice(0, 5).join(', ')}, ${lost.length} in all`)
    if (twice > 0) this.#say(`there twice ${when}: ${twice}`)
    return { lost: lost.length, twice }
  }
}

export const crash: Scenario = {
  title:
    'a gateway that is killed in the middle of messages: what was answered is there, once; logs that are cut short',
  async run(context) {
    const plan = toPlan(context)
    const folder = createFolder('fiberws-crash-')
    const rounds: Record<string, Figures>[] = []
    for (let i = 1; i <= plan.rounds; i++) {
      const say = (line: string): void => context.progress(`round ${i} of ${plan.rounds}: ${line}`)
      if (i % PER_WORLD === 1) rmSync(join(folder, 'world'), { recursive: true, force: true })
      const found = await new Round(folder, context, plan, say).run(i)
      rounds.push({ crash: found })
      say(
        Object.entries(found)
          .map(([name, value]) => `${name} ${value}`)
          .join(', '),
      )
    }
    const sum = (name: string): number => rounds.reduce((total, round) => total + of(round['crash'] ?? {}, name), 0)
    const none = (title: string, name: string, unit: string) => judge(title, sum(name), 'exactly', 0, unit)
    return {
      rounds,
      bars: [
        none('answered, and not there', 'lost', 'messages'),
        none('there twice', 'twice', 'messages'),
        none('never answered', 'unanswered', 'messages'),
        none('wrong in the database', 'wrong in the database', ''),
        none('copies with a cut log that are wrong', 'copies wrong', `of ${plan.rounds * plan.cuts}`),
        // Else the cuts have cut nothing.
        judge('copies that have less', sum('copies shorter'), 'at least', 1, ''),
      ],
    }
  },
}
