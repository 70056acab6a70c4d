import type { ClientLoop, ReconnectOptions } from '../../../include-types/client.ts'
import type { WebSocket, WebSocketData, WebSocketEvent } from '../../../include-types/websock.ts'
import type { Clock } from '../../engine/port.ts'
import type { OneBotLink } from '../../web/config/onebot-settings.ts'
import { withoutSecrets } from '../../web/without-secrets.ts'
import { webSocketFree, webSocketSendClose } from '../../websock/close.ts'
import {
  R_ERR_BAD_STATE,
  R_ERR_WOULD_BLOCK,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_MSG_PING,
  WS_STATUS_GOING_AWAY,
} from '../../websock/constants.ts'
import { rError, rInfo } from '../../websock/log.ts'
import { hearPongs } from '../../websock/pong.ts'
import {
  webSocketFlush,
  webSocketGetBufferedAmount,
  webSocketSendBlock,
  webSocketSendString,
} from '../../websock/send.ts'
import type { Account } from '../account.ts'
import { Backlog, NOTHING, toRetry } from '../backlog.ts'
import { Endpoint } from '../endpoint.ts'
import { toLifecycle } from '../events.ts'
import type { Gate } from '../rate.ts'

/** Bytes of a message from there. */
const MAX_MESSAGE = 52_428_800
/** What waits vary by, so that bots which have lost the same server do not come back in one moment. */
const SPREAD = 1.2
/** Milliseconds: the longest that a timer takes. */
const MAX_WAIT = 0x7fff_ffff
/** Bytes on their way, where what waits is kept anyway. */
const ROOM = 1_048_576

type Proc = (ws: WebSocket, event: WebSocketEvent, buf: WebSocketData, length: number, arg: undefined) => unknown
/** Keeps a connection to a server: `webSocketClientLoop`. */
export type Dial = (url: string, proc: Proc, options: ReconnectOptions) => ClientLoop

/** A connection that the bot makes to its client's server, and makes again whenever it is lost. */
export class LinkEndpoint extends Endpoint<OneBotLink> {
  readonly #dial: Dial
  #loop: ClientLoop | null = null
  /** The connection that is told and asked now. */
  #ws: WebSocket | null = null
  readonly #gate: Gate
  /** Why there is none, as the last attempt said it. */
  #why = ''
  /** What it may not have heard, where that is kept; empty where it is not. */
  readonly #backlog: Backlog
  /** The last that it was told on this connection, and on any; what a Ping on its way asks about, or 0; and the last that has come. */
  #sent = 0
  #told = 0
  #pinged = 0
  #heard = 0
  /** The last that is not kept any longer though it may not have come. */
  #fallen = 0
  /** It has to read first. */
  #waits = false

  constructor(settings: OneBotLink, account: Account, clock: Clock, dial: Dial) {
    super(settings, account, clock)
    this.#dial = dial
    this.#gate = this.createGate()
    this.#backlog = new Backlog(
      () => this.settings.replay ?? NOTHING,
      (number) => this.#fall(number),
      () => clock.now(),
    )
  }

  /** Heartbeats go by the time of the endpoint, connected or not. */
  open(): void {
    if (this.settings.role !== 'API') this.startBeating()
    this.#connect()
  }

  override close(): void {
    super.close()
    if (this.waiting > 0) rError('onebot', '%s: %d events that waited were not told', this.settings.name, this.waiting)
    this.#loop?.stop(WS_STATUS_GOING_AWAY)
    this.#loop = null
    this.#ws = null
  }

  override adopt(settings: OneBotLink): void {
    super.adopt(settings)
    if (settings.replay === null) this.#backlog.clear()
  }

  protected get isHeard(): boolean {
    const { role, replay } = this.settings
    return role !== 'API' && (this.#ws !== null || replay !== null)
  }

  override get waiting(): number {
    return this.#backlog.size
  }

  protected send(text: string, beat: boolean): void {
    if (this.settings.replay !== null && !beat) {
      this.#backlog.push(text)
      return this.#tellAll()
    }
    const ws = this.#ws
    // What it is not told now it would never be: it comes back, and begins anew.
    if (webSocketSendString(ws, text) === R_ERR_WOULD_BLOCK) webSocketFree(ws)
  }

  /** What it was not told on this connection, as fast as it reads. */
  #tellAll(): void {
    const ws = this.#ws
    if (ws === null || this.#waits) return
    for (let next = this.#backlog.after(this.#sent); next !== undefined; next = this.#backlog.after(this.#sent)) {
      if (webSocketGetBufferedAmount(ws) > ROOM) return void this.#wait(ws)
      const { number, text } = next
      const result = webSocketSendString(ws, number > this.#told ? text : toRetry(text))
      if (result === R_ERR_BAD_STATE) return
      if (result === R_ERR_WOULD_BLOCK) return void this.#wait(ws)
      // One that is too long for any connection.
      if (result < 0) this.lose(1)
      this.#sent = number
      this.#told = Math.max(this.#told, number)
    }
    this.#ping(ws)
  }

  /** One that was told is lost only where the connection is, too. */
  #fall(number: number): void {
    if (number > this.#told) this.lose(1)
    else this.#fallen = number
  }

  async #wait(ws: WebSocket): Promise<void> {
    this.#waits = true
    await webSocketFlush(ws)
    this.#waits = false
    this.#tellAll()
  }

  /** What is in front of a Ping has come where its Pong comes from. */
  #ping(ws: WebSocket): void {
    if (this.#pinged !== 0 || this.#sent <= this.#heard) return
    if (webSocketSendBlock(ws, WS_MSG_PING, String(this.#sent)) > 0) this.#pinged = this.#sent
  }

  #ponged(ws: WebSocket, text: string): void {
    if (ws !== this.#ws || this.#pinged === 0 || text !== String(this.#pinged)) return
    this.#heard = this.#pinged
    this.#backlog.drop(this.#heard)
    this.#pinged = 0
    this.#ping(ws)
  }

  #connect(): void {
    const { url, reconnect: min, reconnectMax, handshakeTimeout, pingInterval, pingTimeout } = this.settings
    const { verifyCertificate } = this.settings
    const pings = pingInterval > 0
    this.#loop = this.#dial(url, this.#proc, {
      headers: () => this.#headers(),
      reconnectInterval:
        reconnectMax === null
          ? { min, max: Math.min(MAX_WAIT, min * SPREAD), factor: SPREAD, jitter: 'full' }
          : { min, max: Math.max(min, reconnectMax), factor: 2, jitter: 'full' },
      handshakeTimeout,
      pingPeriod: pings ? pingInterval : 0,
      timeout: pings ? pingInterval + pingTimeout : 0,
      maxMessage: MAX_MESSAGE,
      maxFrame: 0,
      tls: { rejectUnauthorized: verifyCertificate },
      unref: true,
      shouldReconnect: () => {
        rInfo('onebot', '%s: %s 在 %d 秒后尝试重新连接', this.settings.name, this.#why, Math.floor(min / 1000))
        return true
      },
    })
  }

  #headers(): Readonly<Record<string, string>> {
    const { token, role, authScheme } = this.settings
    return {
      'X-Self-ID': String(this.account.id),
      'X-Client-Role': role,
      'User-Agent': 'OneBot/11',
      ...(token === null ? {} : { Authorization: `${authScheme} ${token}` }),
    }
  }

  readonly #proc: Proc = (ws, event, buf) => {
    if (event === WS_EVENT_MESSAGE) return this.#receive(ws, buf)
    if (event === WS_EVENT_OPEN) this.#welcome(ws)
    else if (event === WS_EVENT_ERROR) this.#why = String(buf)
    else if (event === WS_EVENT_CLOSE) this.#forget(ws)
    return undefined
  }

  #welcome(ws: WebSocket): void {
    this.#ws = ws
    this.#why = '连接已断开'
    this.readFrames(ws)
    rInfo('onebot', '%s: connected to %s', this.settings.name, withoutSecrets(this.settings.url))
    if (this.settings.role === 'API') return
    const text = toLifecycle(this.account.id, this.now, 'connect')
    this.log('>', text)
    webSocketSendString(ws, text)
    this.enter()
    if (this.#fallen > this.#heard) this.lose(this.#fallen - this.#heard)
    this.#heard = Math.max(this.#heard, this.#fallen)
    this.#sent = this.#heard
    hearPongs(ws, (said) => this.#ponged(ws, said))
    this.#tellAll()
  }

  /** Whatever is left of an old connection does not touch the one that there is. */
  #forget(ws: WebSocket): void {
    if (this.#ws !== ws) return
    this.#ws = null
    this.#pinged = 0
    this.account.disconnects++
    this.leave()
  }

  #receive(ws: WebSocket, buf: WebSocketData): Promise<void> | undefined {
    // Of a client that is only told nothing is read.
    if (this.settings.role === 'Event') return undefined
    // Who has asked on a connection is answered on that, or not at all.
    return this.receive(buf, this.#gate, {
      say: (response) => {
        if (webSocketSendString(ws, response) !== R_ERR_WOULD_BLOCK) return
        rError('onebot', '%s: reads too slowly', this.settings.name)
        webSocketSendClose(ws, WS_STATUS_GOING_AWAY)
      },
      room: async () => (await webSocketFlush(ws)) === 0,
    })
  }
}
