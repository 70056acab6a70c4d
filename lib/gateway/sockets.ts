import type { WorldEvent } from '../chat/events.ts'
import type { World } from '../chat/world.ts'
import type { WebSocketData, WebSocketEvent, WebSocket } from '../../include-types/websock.ts'
import type { GatewaySettings } from '../web/config/gateway.ts'
import type { Host } from '../web/host.ts'
import type { Request } from '../web/web.ts'
import { webSocketSendClose } from '../websock/close.ts'
import {
  WS_EVENT_CLOSE,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_MSG_TEXT,
  WS_STATUS_GOING_AWAY,
  WS_STATUS_OK,
} from '../websock/constants.ts'
import { rFailure } from '../websock/log.ts'
import type { Pace } from '../websock/pace.ts'
import { webSocketRun } from '../websock/run.ts'
import { webSocketCork, webSocketSendString } from '../websock/send.ts'
import { Absences } from './absences.ts'
import { Audience } from './audience.ts'
import type { Connection, Wish } from './connection.ts'
import { Deadlines } from '../chat/deadlines.ts'
import { Fanout } from './fanout.ts'
import { Journal } from './journal.ts'
import { receive } from './operations.ts'
import { Rate } from './rate.ts'
import { takeSnapshot } from './ready.ts'
import { Resumption } from './resumption.ts'
import type { Caller, Tokens } from './tokens.ts'
import { toFrame, withNumber, withSession } from './wire.ts'

/** Of those who go within a second, so many are told of at once. A crowd that is cut is back before others have heard of each. */
const MOST_GOING = 250

/** The clients on the socket: who they are, what they get first, when they have to go. */
export class Sockets {
  readonly #world: World
  readonly #tokens: Tokens
  readonly #settings: GatewaySettings
  readonly #host: Host
  readonly #journal: Journal
  readonly #audience: Audience
  readonly #resumption: Resumption
  readonly #fanout: Fanout
  /** Connections whose token ends, by when. */
  readonly #expiring: Deadlines<Connection>
  readonly #absences: Absences
  readonly #going = new Rate(MOST_GOING, 1000)
  readonly #unlisten: () => void

  constructor(world: World, tokens: Tokens, settings: GatewaySettings, host: Host, pace: Pace) {
    this.#world = world
    this.#tokens = tokens
    this.#settings = settings
    this.#host = host
    this.#journal = new Journal(settings, world.now)
    this.#audience = new Audience(world, this.#journal)
    this.#resumption = new Resumption(this.#audience, settings, world.now)
    this.#fanout = new Fanout(
      world,
      this.#audience,
      this.#journal,
      () => host.topics,
      (connection) => this.#overrun(connection),
    )
    this.#expiring = new Deadlines(world.now, (connection) => this.#expire(connection))
    this.#absences = new Absences(world.now, pace)
    this.#unlisten = world.events.on((event) => {
      this.#fanout.tell(event)
      this.#revoke(event)
    })
  }

  close(): void {
    this.#unlisten()
    this.#expiring.close()
    this.#absences.close()
    this.#resumption.close()
  }

  /** Runs a connection that has been let in. */
  run(request: Request, caller: Caller, wish: Wish | null): void {
    const { webSocket: ws } = request
    if (ws === null) return
    const { rate, rateWindow } = this.#settings
    const connection: Connection = {
      ws,
      caller: {
        userId: caller.user.id,
        session: caller.session,
        bot: caller.bot?.id ?? null,
        expires: caller.expires,
      },
      rate: new Rate(rate, rateWindow),
      link: null,
      attendee: null,
      session: null,
      wish,
      expired: false,
    }
    if (!this.#tokens.isLive(caller)) return void webSocketSendClose(ws, WS_STATUS_GOING_AWAY, 'unavailable')
    void webSocketRun(ws, this.#proc, connection)
  }

  /** One for all connections. */
  readonly #proc = (
    ws: WebSocket,
    event: WebSocketEvent,
    buf: WebSocketData,
    _length: number,
    connection: Connection,
  ): void => {
    if (event === WS_EVENT_MESSAGE) {
      // What is not text counts, too.
      if (!connection.rate.accepts(connection.ws.context.clock.now())) return
      if (ws.type === WS_MSG_TEXT && typeof buf === 'string') this.#receive(connection, buf)
    } else if (event === WS_EVENT_OPEN) this.#begin(connection)
    else if (event === WS_EVENT_CLOSE) this.#end(connection)
  }

  /** What goes wrong on our side is dropped as well, and the connection stays. */
  #receive(connection: Connection, text: string): void {
    try {
      receive(this.#world, connection, text)
    } catch (error) {
      rFailure('gateway', 'An operation failed', error)
    }
  }

  /** READY, or what was missed, and everything behind it: in one go, so that nothing is missed, and nothing comes twice. */
  #begin(connection: Connection): void {
    const { ws, caller } = connection
    try {
      connection.link = this.#world.presence.attach(caller.userId)
      if (!this.#resume(connection)) this.#beginAnew(connection)
    } catch (error) {
      rFailure('gateway', 'READY could not be made', error)
      this.#audience.leave(connection)
      this.#part(connection, false)
      this.#detach(connection)
      webSocketSendClose(ws, WS_STATUS_GOING_AWAY, 'unavailable')
      return
    }
    this.#absences.end(caller.userId)
    this.#expiring.add(connection, this.#endOf(connection))
    this.#closeOldest(caller.userId)
  }

  #beginAnew(connection: Connection): void {
    const { ws, caller, wish } = connection
    const { presence, users } = this.#world
    const user = users.find(caller.userId)
    if (user === null) throw new Error('The user is gone')
    const { frame, ...view } = takeSnapshot(this.#world, user)
    const { last } = this.#journal
    if (wish !== null) connection.session = this.#resumption.begin(connection, last)
    const first = connection.session === null ? frame : withNumber(withSession(frame, connection.session.id), last)
    if (webSocketSendString(ws, first) < 0) throw new Error('READY could not be sent')
    // Others hear of it now that it is sure, and this one does not.
    presence.refresh(caller.userId)
    this.#audience.enter(connection, view)
    if (connection.session !== null) connection.session.from = this.#journal.last
  }

  /** Goes on where a connection ended; false where it cannot. */
  #resume(connection: Connection): boolean {
    const { ws, wish } = connection
    const session = this.#resumption.find(connection)
    if (session === null || wish === null) return false
    // Its peer has gone without a word, or has changed its mind.
    if (session.connection !== null) this.#dismiss(session.connection, WS_STATUS_GOING_AWAY, 'resumed')
    const missed = this.#resumption.missed(session, wish.seq)
    if (missed === null) {
      this.#resumption.end(session)
      return false
    }
    this.#resumption.attach(session, connection)
    const resumed = toFrame('RESUMED', { session_id: session.id, events: missed.length })
    let sent = true
    webSocketCork(ws, () => {
      for (const frame of [withNumber(resumed.text, wish.seq), ...missed]) sent &&= webSocketSendString(ws, frame) >= 0
    })
    if (!sent) throw new Error('What was missed could not be sent')
    this.#audience.reenter(connection)
    this.#world.presence.refresh(session.userId)
    return true
  }

  /** When a connection ends by itself: with its token, or, where it may outlive that, with its session. */
  #endOf({ caller: { session, expires } }: Connection): number {
    if (this.#settings.closesOnExpiry) return expires
    return session === null ? Infinity : this.#world.sessions.endOf(session)
  }

  #closeOldest(userId: string): void {
    const { connections = [] } = this.#audience.find(userId) ?? {}
    const [oldest] = connections
    if (connections.length > this.#settings.maxConnections && oldest !== undefined) {
      this.#dismiss(oldest, WS_STATUS_OK, 'connection_limit')
    }
  }

  #end(connection: Connection): void {
    this.#audience.leave(connection)
    this.#expiring.delete(connection)
    // When all go, nobody is told of each.
    if (!this.#host.ready) return
    // Who says goodbye does not come back.
    this.#part(connection, connection.ws.closeStatus !== WS_STATUS_OK)
    this.#detach(connection)
  }

  /** The session of a connection that ends may go on with another, or not. */
  #part(connection: Connection, goesOn: boolean): void {
    const { session } = connection
    connection.session = null
    if (session?.connection !== connection) return
    if (goesOn) this.#resumption.detach(session)
    else this.#resumption.end(session)
  }

  #detach(connection: Connection): void {
    const { link, caller, expired } = connection
    connection.link = null
    if (link === null) return
    if (!expired && this.#going.accepts(connection.ws.context.clock.now())) return link.detach()
    this.#absences.add({ link, caller }, this.#world.now() + this.#settings.reclaim)
  }

  /** It gets nothing from now on, and counts as gone, whenever it answers. */
  #dismiss(connection: Connection, status: number, reason: string): void {
    this.#audience.leave(connection)
    this.#part(connection, status !== WS_STATUS_OK)
    this.#detach(connection)
    webSocketSendClose(connection.ws, status, reason)
  }

  #expire(connection: Connection): void {
    // The session may have been renewed meanwhile.
    const end = this.#endOf(connection)
    if (end > this.#world.now()) return this.#expiring.add(connection, end)
    if (!this.#settings.closesOnExpiry) return this.#dismiss(connection, WS_STATUS_OK, 'session_revoked')
    connection.expired = true
    // 1000 would say that it was meant to end.
    this.#dismiss(connection, WS_STATUS_GOING_AWAY, 'token_expired')
  }

  #overrun(connection: Connection): void {
    this.#dismiss(connection, WS_STATUS_GOING_AWAY, 'too slow')
  }

  /** Ends connections whose credential is no longer good. */
  #revoke(event: WorldEvent): void {
    if (event.type === 'session.ended') {
      const { sessionId, userId } = event
      this.#dismissAll(userId, 'session_revoked', ({ session }) => session === sessionId)
    } else if (event.type === 'bot.ended') {
      const { botId, userId } = event
      this.#dismissAll(userId, 'bot_revoked', ({ bot }) => bot === botId)
    } else if (event.type === 'user.changed' && this.#world.users.find(event.userId)?.disabled === 1) {
      this.#dismissAll(event.userId, 'session_revoked', () => true)
    }
  }

  #dismissAll(userId: string, reason: string, which: (caller: Connection['caller']) => boolean): void {
    for (const connection of this.#audience.find(userId)?.connections.slice() ?? []) {
      if (which(connection.caller)) this.#dismiss(connection, WS_STATUS_OK, reason)
    }
    this.#absences.end(userId, which)
    this.#resumption.endAll(userId, ({ login, bot }) => which({ userId, session: login, bot, expires: 0 }))
  }
}
