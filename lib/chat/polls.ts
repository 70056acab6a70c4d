import type { Access } from './access.ts'
import { type Core, createdAt } from './core.ts'
import { toTime } from './ids.ts'
import { notFound, Refusal } from './refusal.ts'
import { type Poll, preparePolls, type Vote } from './store/polls.ts'

/** What is asked in a message. */
export interface PollDraft {
  readonly question: string
  /** Each once. */
  readonly options: readonly string[]
}

export class Polls {
  readonly #core: Core
  readonly #access: Access
  readonly #rows

  constructor(core: Core, access: Access) {
    this.#core = core
    this.#access = access
    this.#rows = preparePolls(core.db)
  }

  /** As somebody sees it; null: as nobody in particular does. */
  read(id: string, viewer: string | null): Poll {
    const poll = this.#rows.byId({ id })
    if (poll === undefined) throw notFound()
    const options = this.#rows.options({ poll: id })
    return {
      id,
      question: poll.question,
      options,
      total_votes: options.reduce((sum, { votes }) => sum + votes, 0),
      user_vote: viewer === null ? null : (this.#rows.voteOf({ poll: id, user: viewer })?.option_id ?? null),
    }
  }

  get(user: string, id: string): Poll {
    this.#locate(user, id)
    return this.read(id, user)
  }

  /** What everybody has chosen who has. */
  votes(id: string): readonly Vote[] {
    return this.#rows.votes({ poll: id })
  }

  // Changes

  /** For a message that was just made. */
  add(message: string, by: string, { question, options }: PollDraft): Poll {
    const { ids } = this.#core
    const id = ids.next()
    this.#rows.insert({ id, message, question, by, at: createdAt(id) })
    for (const [idx, text] of options.entries()) this.#rows.insertOption({ id: ids.next(), poll: id, idx, text })
    return this.read(id, null)
  }

  /** With its message. */
  remove(message: string): void {
    this.#rows.delete({ message })
  }

  /** In place of what they chose before; the same again changes nothing. */
  vote(user: string, id: string, option: string): Poll {
    const { server_id, id: channelId } = this.#locate(user, id)
    if (!this.#rows.options({ poll: id }).some((one) => one.id === option)) {
      throw new Refusal('INVALID', 'This poll has no such option')
    }
    if (this.#rows.voteOf({ poll: id, user })?.option_id === option) return this.read(id, user)
    this.#rows.vote({ poll: id, user, option, at: toTime(this.#core.now()) })
    const poll = this.read(id, user)
    const told = { poll: { ...poll, user_vote: null }, votes: this.votes(id) }
    this.#core.changes.emit({ type: 'poll.voted', serverId: server_id, channelId, ...told })
    return poll
  }

  /** The channel that it is in, for who can see it. */
  #locate(user: string, id: string) {
    const poll = this.#rows.byId({ id })
    if (poll === undefined) throw notFound()
    return this.#access.channel(user, poll.channel_id)
  }
}
