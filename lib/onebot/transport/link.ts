import type { ClientLoop, ReconnectOptions } from '../../../include-types/client.ts'
import type { WebSocket, WebSocketData, WebSocketEvent } from '../../../include-types/websock.ts'
import type { Clock } from '../../engine/port.ts'
import type { OneBotLink } from '../../web/config/onebot-settings.ts'
import { withoutSecrets } from '../../web/without-secrets.ts'
import { webSocketFree, webSocketSendClose } from '../../websock/close.ts'
import {
  R_ERR_WOULD_BLOCK,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_STATUS_GOING_AWAY,
} from '../../websock/constants.ts'
import { rError, rInfo } from '../../websock/log.ts'
import { webSocketSendString } from '../../websock/send.ts'
import type { Account } from '../account.ts'
import { Endpoint } from '../endpoint.ts'
import { toLifecycle } from '../events.ts'
import type { Gate } from '../rate.ts'

/** Bytes of a message from there. */
const MAX_MESSAGE = 52_428_800
/** What waits vary by, so that bots which have lost the same server do not come back in one moment. */
const SPREAD = 1.2
/** Milliseconds: the longest that a timer takes. */
const MAX_WAIT = 0x7fff_ffff

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

  constructor(settings: OneBotLink, account: Account, clock: Clock, dial: Dial) {
    super(settings, account, clock)
    this.#dial = dial
    this.#gate = this.createGate()
  }

  /** Heartbeats go by the time of the endpoint, connected or not. */
  open(): void {
    if (this.settings.role !== 'API') this.startBeating()
    this.#connect()
  }

  override close(): void {
    super.close()
    this.#loop?.stop(WS_STATUS_GOING_AWAY)
    this.#loop = null
    this.#ws = null
  }

  protected get isHeard(): boolean {
    return this.#ws !== null && this.settings.role !== 'API'
  }

  protected send(text: string): void {
    const ws = this.#ws
    // What it is not told now it would never be: it comes back, and begins anew.
    if (webSocketSendString(ws, text) === R_ERR_WOULD_BLOCK) webSocketFree(ws)
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
    if (event === WS_EVENT_MESSAGE) return this.#receive(ws, buf ?? '')
    if (event === WS_EVENT_OPEN) this.#welcome(ws)
    else if (event === WS_EVENT_ERROR) this.#why = String(buf)
    else if (event === WS_EVENT_CLOSE) this.#forget(ws)
    return undefined
  }

  #welcome(ws: WebSocket): void {
    this.#ws = ws
    this.#why = '连接已断开'
    rInfo('onebot', '%s: connected to %s', this.settings.name, withoutSecrets(this.settings.url))
    if (this.settings.role === 'API') return
    const text = toLifecycle(this.account.id, this.now, 'connect')
    this.log('>', text)
    webSocketSendString(ws, text)
    this.enter()
  }

  /** Whatever is left of an old connection does not touch the one that there is. */
  #forget(ws: WebSocket): void {
    if (this.#ws !== ws) return
    this.#ws = null
    this.account.disconnects++
    this.leave()
  }

  #receive(ws: WebSocket, buf: string | Buffer): Promise<void> | undefined {
    // Of a client that is only told nothing is read.
    if (this.settings.role === 'Event') return undefined
    const text = typeof buf === 'string' ? buf : buf.toString()
    const wait = this.#gate.enter()
    if (wait !== null) return wait.then(() => this.#ask(ws, text))
    this.#ask(ws, text)
    return undefined
  }

  /** Who has asked on a connection is answered on that, or not at all. */
  #ask(ws: WebSocket, text: string): void {
    this.run(text, (response) => {
      if (webSocketSendString(ws, response) !== R_ERR_WOULD_BLOCK) return
      rError('onebot', '%s: reads too slowly', this.settings.name)
      webSocketSendClose(ws, WS_STATUS_GOING_AWAY)
    })
  }
}
