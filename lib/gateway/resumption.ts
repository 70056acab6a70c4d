import { randomBytes } from 'node:crypto'
import { Deadlines } from '../chat/deadlines.ts'
import type { GatewaySettings } from '../web/config/gateway.ts'
import type { Audience } from './audience.ts'
import type { Connection, Session } from './connection.ts'

/** Sessions with which connections go on after they have ended: with all that was missed, or not at all. */
export class Resumption {
  readonly #audience: Audience
  readonly #settings: GatewaySettings
  readonly #now: () => number
  readonly #sessions = new Map<string, Session>()
  /** Those without a connection, by when they end. */
  readonly #waiting: Deadlines<Session>

  constructor(audience: Audience, settings: GatewaySettings, now: () => number) {
    this.#audience = audience
    this.#settings = settings
    this.#now = now
    this.#waiting = new Deadlines(now, (session) => this.end(session))
  }

  close(): void {
    this.#waiting.close()
  }

  /** For a connection that is about to be told what is, up to `start`. */
  begin(connection: Connection, start: number): Session {
    const { userId, session: login, bot } = connection.caller
    const id = randomBytes(16).toString('base64url')
    const session: Session = { id, userId, login, bot, start, from: start, connection }
    this.#sessions.set(id, session)
    return session
  }

  /** The session that a connection wants; of somebody else it learns nothing, also not that there is one. */
  find({ wish, caller }: Connection): Session | null {
    const session = this.#sessions.get(wish?.session ?? '')
    return session?.userId === caller.userId && session.bot === caller.bot ? session : null
  }

  /** What was told behind a number, in order; null where that is not known any more, or too much. */
  missed(session: Session, seq: number): readonly string[] | null {
    const { resumeEvents, maxBackpressure } = this.#settings
    if (seq < session.start) return null
    const entries = this.#audience.missed(session.userId, Math.max(seq, session.from))
    if (entries === null || entries.length > resumeEvents) return null
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
    // It is sent at once, and has to fit in what may wait.
    return bytes > maxBackpressure / 2 ? null : entries.map(({ frame }) => frame)
  }

  /** From here on a connection has it. */
  attach(session: Session, connection: Connection): void {
    this.#waiting.delete(session)
    session.connection = connection
    session.login = connection.caller.session
    connection.session = session
  }

  /** It may come back for a while. */
  detach(session: Session): void {
    session.connection = null
    this.#waiting.add(session, this.#now() + this.#settings.resumeFor)
    const own = [...(this.#audience.find(session.userId)?.sessions ?? [])].filter((one) => one.connection === null)
    const [oldest] = own
    if (oldest !== undefined && own.length > this.#settings.maxConnections) this.end(oldest)
  }

  end(session: Session): void {
    this.#waiting.delete(session)
    this.#sessions.delete(session.id)
    this.#audience.forget(session)
  }

  /** Those of a user that must not come back. */
  endAll(userId: string, which: (session: Session) => boolean): void {
    for (const session of this.#audience.find(userId)?.sessions ?? []) if (which(session)) this.end(session)
  }
}
