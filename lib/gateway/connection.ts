import type { Link } from '../chat/presence.ts'
import type { Socket } from '../websock/socket.ts'
import type { Attendee } from './audience.ts'
import type { Rate } from './rate.ts'
import type { Caller } from './tokens.ts'

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
  /** Its token has ended: it may come back, and is still there meanwhile. */
  expired: boolean
}
