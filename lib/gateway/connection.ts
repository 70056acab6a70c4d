import type { Link } from '../chat/presence.ts'
import type { Socket } from '../websock/socket.ts'
import type { Attendee } from './audience.ts'
import type { Rate } from './rate.ts'
import type { Caller } from './tokens.ts'

/** What outlives a connection: whoever names it gets what was missed. */
export interface Session {
  /** Nobody guesses it. */
  readonly id: string
  readonly userId: string
  /** Of whoever has it now. */
  login: string | null
  readonly bot: string | null
  /** The number of READY: what was before is in it. */
  readonly start: number
  /** What was told up to here it has been told, or is in READY. */
  from: number
  /** Null while it has ended. */
  connection: Connection | null
}

/** To go on: anew, or with a session behind a number. */
export interface Wish {
  /** Null: with a new one. */
  readonly session: string | null
  readonly seq: number
}

/** One client on the socket. */
export interface Connection {
  readonly ws: Socket
  /** What it came with; of its user as little as has to be known. */
  readonly caller: Pick<Caller, 'session' | 'expires'> & { readonly userId: string; readonly bot: string | null }
  readonly rate: Rate
  /** While it counts as present. */
  link: Link | null
  /** While it gets events. */
  attendee: Attendee | null
  /** With which it may go on after it has ended; null: its client has not asked for that. */
  session: Session | null
  /** What its client wants to go on with; null: with nothing. */
  readonly wish: Wish | null
  /** Its token has ended: it may come back, and is still there meanwhile. */
  expired: boolean
}
