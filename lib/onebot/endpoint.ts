import { isDeepStrictEqual } from 'node:util'
import type { OneBotEvent } from '../../include-types/onebot.ts'
import type { WebSocket, WebSocketData } from '../../include-types/websock.ts'
import type { Clock } from '../engine/port.ts'
import type { OneBotEndpoint } from '../web/config/onebot-settings.ts'
import { webSocketSetRaw, webSocketSetView } from '../websock/handle.ts'
import { rError, rInfo } from '../websock/log.ts'
import type { Account, Outlet } from './account.ts'
import type { Call } from './actions/action.ts'
import { dispatch, unknownAction } from './dispatcher.ts'
import { readFrame } from './frame.ts'
import { type Outcome, toPart, toResponse, toUnreadable } from './envelope.ts'
import { isOwn, toHeartbeat, toText } from './events.ts'
import { BAD_REQUEST } from './failure.ts'
import { type Filter, parseFilter, readFilter } from '../web/config/event-filter.ts'
import { Gate } from './rate.ts'

/** Of a frame in the log. Characters. */
const MAX_LOGGED = 2000
/** Events that are lost, and clients that are not let in, between two lines of the log. */
const MANY = 1000
/** Credentials in what is logged. */
const SECRETS =
  /((?:["']|\b)(?:access_token|token|secret)["']?\s*:\s*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,}\]]+)/g

const NO_BYTES = Buffer.alloc(0)

/** What makes a link to a file one that is good. */
const SIGNATURES = /([?&]s=)[\w-]+/g

/** Who has asked. */
export interface Answering {
  say(text: string): void
  /** Resolves when they have read what was said; false: they have gone. */
  room(): Promise<boolean>
}

/** What all ways to a bot have in common: which events they tell in what form, and how they run actions. */
export abstract class Endpoint<S extends OneBotEndpoint> implements Outlet {
  readonly account: Account
  protected readonly clock: Clock
  #settings: S
  #call: Call
  #filter: Filter | null = null
  /** Ends the presence of the bot; null: nobody uses it here. */
  #detach: (() => void) | null = null
  /** Whether heartbeats are due, at whatever interval; and what ends them, where there is one. */
  #beating = false
  #stopBeating: (() => void) | null = null
  #lost = 0
  #refused = 0

  constructor(settings: S, account: Account, clock: Clock) {
    this.account = account
    this.clock = clock
    this.#settings = settings
    this.#call = this.#toCall(settings)
    this.#filter = toFilter(settings.filter)
    account.add(this)
  }

  get settings(): S {
    return this.#settings
  }

  /** Other settings from now on. */
  adopt(settings: S): void {
    const before = this.#settings
    this.#settings = settings
    this.#call = this.#toCall(settings)
    if (!isDeepStrictEqual(before.filter, settings.filter)) {
      this.#filter = toFilter(settings.filter)
    }
    if (before.heartbeat !== settings.heartbeat && this.#beating) {
      this.stopBeating()
      this.startBeating()
    }
  }

  refilter(): void {
    const { filterFile } = this.#settings
    if (filterFile !== null) this.adopt({ ...this.#settings, filter: readFilter(filterFile) })
  }

  /** Before the first client. */
  abstract open(): void

  close(): void {
    this.account.remove(this)
    this.stopBeating()
    this.leave()
  }

  /** Whether anybody would be told. */
  protected abstract readonly isHeard: boolean
  /** @param text one event, as JSON; `beat`: that somebody is there */
  protected abstract send(text: string, beat: boolean): void

  tell(event: OneBotEvent): void {
    if (!this.isHeard) return
    const { reportSelf, format, debug } = this.#settings
    const { id } = this.account
    if (!reportSelf && isOwn(event, id)) return
    this.sendFiltered(toText(event, id, { format, debug }))
  }

  /** Filters are for all but the first event of a connection. */
  protected sendFiltered(text: string, beat = false): void {
    if (this.#filter !== null && !this.#filter(JSON.parse(text))) return
    this.log('>', text)
    this.account.packetsSent++
    this.send(text, beat)
  }

  /** Events that waited here, and fell out. */
  get lost(): number {
    return this.#lost
  }

  /** Events that wait for who is away, or slow. */
  get waiting(): number {
    return 0
  }

  /** Of many one line is enough. */
  protected lose(events: number): void {
    const before = this.#lost
    this.#lost += events
    this.account.packetsLost += events
    if (before > 0 && Math.floor(before / MANY) === Math.floor(this.#lost / MANY)) return
    rError('onebot', '%s: is away, or too slow: events are lost (%d)', this.#settings.name, this.#lost)
  }

  /** Clients that were not let in. */
  get refused(): number {
    return this.#refused
  }

  /** Of many one line is enough. */
  protected refuse(verdict: 'missing' | 'wrong'): void {
    this.#refused++
    if (this.#refused % MANY !== 1) return
    const what = verdict === 'missing' ? 'no token' : 'a wrong token'
    rInfo('onebot', '%s: a client was not let in, with %s (%d)', this.#settings.name, what, this.#refused)
  }

  protected get now(): number {
    return Math.floor(Date.now() / 1000)
  }

  /** The bot is there for others from now on. */
  protected enter(): void {
    this.#detach ??= this.account.attach()
  }

  protected leave(): void {
    this.#detach?.()
    this.#detach = null
  }

  protected startBeating(): void {
    const { heartbeat } = this.#settings
    this.#beating = true
    if (heartbeat > 0) this.#stopBeating ??= this.clock.every(heartbeat, () => this.#beat(heartbeat))
  }

  protected stopBeating(): void {
    this.#beating = false
    this.#stopBeating?.()
    this.#stopBeating = null
  }

  #beat(interval: number): void {
    if (!this.isHeard) return
    const { account } = this
    this.sendFiltered(toHeartbeat(account.id, this.now, account.isOnline, interval), true)
  }

  /** What lets calls through at the rate of this endpoint. */
  protected createGate(): Gate {
    return new Gate(this.clock, () => this.#settings.rate)
  }

  protected get call(): Call {
    return this.#call
  }

  #toCall({ format, unknown }: S): Call {
    const { platform, media, turns, spool, uploads, inlines, extras } = this.account
    const refilter = (): void => this.account.refilter()
    return { platform, format, unknown, status: this.account, refilter, media, turns, spool, uploads, inlines, extras }
  }

  /** Has the frames of a connection come as they are: what is long in them is not made into text. */
  protected readFrames(ws: WebSocket): void {
    webSocketSetRaw(ws, true)
    webSocketSetView(ws, true)
  }

  /** A frame. Those behind a call that has to wait do so, too. */
  protected receive(buf: WebSocketData, gate: Gate, answer: Answering): Promise<void> | undefined {
    const frame = typeof buf === 'string' ? Buffer.from(buf) : (buf ?? NO_BYTES)
    const wait = gate.enter()
    if (wait === null) {
      this.#run(frame, answer)
      return undefined
    }
    // It is a view, which is over with this call.
    const kept = Buffer.from(frame)
    return wait.then(() => this.#run(kept, answer))
  }

  /** Runs what a frame asks for; `answer` is called at once or later, several times where the answer is a stream. */
  #run(frame: Buffer, answer: Answering): void {
    this.account.packetsReceived++
    const { asked, text } = readFrame(frame)
    this.log('<', text)
    if ('unreadable' in asked) return this.#answer(toUnreadable(asked.unreadable), answer)
    const { action, params, echo } = asked
    const send = async (data: object): Promise<boolean> => {
      this.#answer(toPart(data, echo), answer)
      return answer.room()
    }
    const outcome = action === null ? unknownAction(null) : dispatch(action, params, this.#call, send)
    if (outcome instanceof Promise) void this.#answerLater(outcome, echo, answer)
    else this.#answer(toSafe(outcome, echo), answer)
  }

  async #answerLater(outcome: Promise<Outcome>, echo: string, answer: Answering): Promise<void> {
    this.#answer(toSafe(await outcome, echo), answer)
  }

  #answer(text: string, answer: Answering): void {
    this.log('>', text)
    this.account.packetsSent++
    answer.say(text)
  }

  /** Where it is asked for. */
  protected log(direction: '<' | '>', text: string): void {
    const { debug, name } = this.#settings
    if (!debug) return
    const cut = text.length > MAX_LOGGED ? `${text.slice(0, MAX_LOGGED)}… (${text.length})` : text
    rInfo('onebot', '%s %s %s', name, direction, cut.replaceAll(SECRETS, '$1"…"').replaceAll(SIGNATURES, '$1…'))
  }
}

const toFilter = (given: OneBotEndpoint['filter']): Filter | null => (given === null ? null : parseFilter(given))

/** What a platform gives may have no JSON. */
export function toSafe(outcome: Outcome, echo: string): string {
  try {
    return toResponse(outcome, echo)
  } catch {
    return toResponse({ retcode: BAD_REQUEST, data: null, message: 'The result cannot be said in JSON' }, echo)
  }
}
