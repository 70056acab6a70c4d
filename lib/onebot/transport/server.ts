import type { WebSocket, WebSocketData, WebSocketEvent } from '../../../include-types/websock.ts'
import type { Clock } from '../../engine/port.ts'
import { type Answer, answer } from '../../web/answer.ts'
import type { OneBotServer } from '../../web/config/onebot-settings.ts'
import type { Target } from '../../web/handler.ts'
import type { Request } from '../../web/web.ts'
import { dismiss, webSocketSendClose } from '../../websock/close.ts'
import {
  R_ERR_WOULD_BLOCK,
  WS_EVENT_CLOSE,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_STATUS_NO_STATUS,
  WS_STATUS_TRY_AGAIN_LATER,
} from '../../websock/constants.ts'
import { webSocketRun } from '../../websock/run.ts'
import { webSocketFlush, webSocketSendString } from '../../websock/send.ts'
import type { Socket } from '../../websock/socket.ts'
import { joinTopic, type Topics } from '../../websock/topics.ts'
import type { Account } from '../account.ts'
import { Backlog, NOTHING } from '../backlog.ts'
import { type Answering, Endpoint } from '../endpoint.ts'
import { WRONG_TOKEN } from '../envelope.ts'
import { toLifecycle } from '../events.ts'
import type { Gate } from '../rate.ts'
import { Http } from './http.ts'
import { Streams } from './streams.ts'
import { judge } from './token.ts'

const NEEDS_UPGRADE = answer(426, 'Upgrade Required', [
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
])
const NOT_FOUND = answer(404)

/** A client on a WebSocket. */
interface Client {
  readonly ws: Socket
  /** It is told what happens; who has asked for `/api` is not. */
  readonly hears: boolean
  readonly gate: Gate
  readonly answer: Answering
}

/** Numbers of topics: after a reload one may have the name of another whose clients are not gone yet. */
let made = 0

/** Paths whose clients only ask. */
const ASKS_ONLY = new Set(['/api', '/api/'])

/** Where clients of a bot connect to: WebSockets, its HTTP API, and events as a stream. */
export class ServerEndpoint extends Endpoint<OneBotServer> {
  readonly #topics: () => Topics | null
  readonly #topic: string
  /** Those who are told on a WebSocket. */
  #listeners = 0
  /** What those may have missed who come again; empty where nothing is kept. */
  readonly #backlog: Backlog
  readonly #streams: Streams
  readonly #http: Http
  /** Of calls by HTTP; clients on WebSockets have one each. */
  readonly #gate: Gate
  readonly target: Target

  constructor(settings: OneBotServer, account: Account, clock: Clock, topics: () => Topics | null) {
    super(settings, account, clock)
    this.#topics = topics
    this.#topic = `o/${++made}`
    this.#backlog = new Backlog(
      () => this.settings.replay ?? NOTHING,
      // Whoever is there has heard of them.
      () => {},
      () => clock.now(),
    )
    this.#streams = new Streams(this.#backlog, {
      attend: () => this.#attend(),
      part: () => this.#part(),
      lose: (events) => this.lose(events),
    })
    this.#gate = this.createGate()
    this.#http = new Http({
      settings: () => this.settings,
      call: () => this.call,
      streams: this.#streams,
      gate: this.#gate,
      log: (direction, text) => {
        if (this.settings.debug) this.log(direction, text())
      },
      refuse: (verdict) => this.refuse(verdict),
    })
    this.target = {
      role: null,
      ignoresProtocols: true,
      admit: (request) => this.#admit(request),
      serve: (request) => this.#serve(request),
    }
  }

  open(): void {}

  override close(): void {
    super.close()
    this.#gate.open()
    this.#streams.close()
  }

  override adopt(settings: OneBotServer): void {
    super.adopt(settings)
    if (!this.#keeps) this.#backlog.clear()
  }

  /** For those who come again. */
  get #keeps(): boolean {
    return this.settings.sse && this.settings.replay !== null
  }

  protected get isHeard(): boolean {
    return this.#listeners > 0 || this.#streams.count > 0 || this.#keeps
  }

  protected send(text: string, beat: boolean): void {
    if (this.#listeners > 0) this.#topics()?.publish(this.#topic, text, false)
    if (!beat) this.#streams.send(text, this.#keeps ? this.#backlog.push(text) : null)
    else if (this.settings.streamsBeat) this.#streams.send(text, null)
  }

  /** Somebody is told of events. */
  #attend(): void {
    this.enter()
    this.startBeating()
  }

  #part(): void {
    if (this.#listeners > 0 || this.#streams.count > 0) return
    this.stopBeating()
    this.leave()
  }

  #admit(request: Request): Target | Answer {
    const { settings } = this
    if (!settings.webSockets) return NOT_FOUND
    const verdict = judge(request.headers, request.query, settings.token)
    const { path } = request
    // Nothing keeps what was in it.
    request.url = path
    if (verdict !== 'good') {
      this.refuse(verdict)
      return this.#turnAway(verdict)
    }
    return {
      role: null,
      ignoresProtocols: true,
      serve: ({ webSocket }) => (webSocket === null ? undefined : this.#run(webSocket, !ASKS_ONLY.has(path))),
    }
  }

  #turnAway(verdict: 'missing' | 'wrong'): Target | Answer {
    if (this.settings.wsAuthFailure === 'http') {
      return verdict === 'missing' ? answer(401, undefined, [['WWW-Authenticate', 'Bearer']]) : answer(403)
    }
    return {
      role: null,
      ignoresProtocols: true,
      serve: ({ webSocket }) => void webSocketRun(webSocket, turnAway),
    }
  }

  #serve(request: Request): Promise<void> | void {
    const { http, sse } = this.settings
    if (!http && !sse) return request.response?.give(NEEDS_UPGRADE)
    return this.#http.serve(request)
  }

  #run(ws: Socket, hears: boolean): void {
    const client: Client = { ws, hears, gate: this.createGate(), answer: toAnswering(ws) }
    this.readFrames(ws)
    void webSocketRun(ws, this.#proc, client)
  }

  /** One for all clients. */
  readonly #proc = (
    _ws: WebSocket,
    event: WebSocketEvent,
    buf: WebSocketData,
    _length: number,
    client: Client,
  ): Promise<void> | undefined => {
    if (event === WS_EVENT_MESSAGE) return this.receive(buf, client.gate, client.answer)
    if (event === WS_EVENT_OPEN && client.hears) this.#welcome(client)
    else if (event === WS_EVENT_CLOSE) this.#goodbye(client)
    return undefined
  }

  #welcome({ ws }: Client): void {
    const text = toLifecycle(this.account.id, this.now, 'connect')
    this.log('>', text)
    webSocketSendString(ws, text)
    joinTopic(ws, this.#topic)
    this.#listeners++
    this.#attend()
  }

  #goodbye({ hears }: Client): void {
    this.account.disconnects++
    if (!hears) return
    this.#listeners--
    this.#part()
  }
}

const toAnswering = (ws: Socket): Answering => ({
  say: (response) => {
    // What it cannot be told now it would never be: it asks faster than it reads.
    if (webSocketSendString(ws, response) === R_ERR_WOULD_BLOCK) dismiss(ws, WS_STATUS_TRY_AGAIN_LATER, 'too slow')
  },
  room: async () => (await webSocketFlush(ws)) === 0,
})

/** Tells what is wrong, in the one frame that clients know; what they send is not heard. */
function turnAway(ws: WebSocket, event: WebSocketEvent): void {
  if (event !== WS_EVENT_OPEN) return
  webSocketSendString(ws, WRONG_TOKEN)
  webSocketSendClose(ws, WS_STATUS_NO_STATUS)
}
