import type { ClientLoop, ReconnectOptions, UrlWebSocketOptions } from '../../../include-types/client.ts'
import type { WebSocket } from '../../../include-types/websock.ts'
import { webSocketSendClose } from '../close.ts'
import {
  R_ERR_BAD_ARGS,
  WS_STATE_OPEN,
  WS_STATUS_COMMS_ERROR,
  WS_STATUS_GOING_AWAY,
  WS_STATUS_OK,
} from '../constants.ts'
import { type AnyProc, errorText, run } from '../run.ts'
import { isThenable } from '../thenable.ts'
import { toLimit } from '../limits.ts'
import { isClosing, type Socket } from '../socket.ts'
import { Delays } from './delay.ts'
import { badArgument, ClientError, timedOut } from './error.ts'
import { type ClientSide, fail, onAbort, open } from './open.ts'
import { HANDSHAKE_TIMEOUT, toPlan } from './plan.ts'

/** Milliseconds that a connection has to last before waits begin again at the shortest. */
const STABLE_AFTER = 10_000
/** Milliseconds between pings: a connection that is lost without a word is noticed by them. */
const PING_PERIOD = 30_000
/** Silence that is taken for a loss, in ping periods. */
const SILENCE = 2.5

/** A URL, or what gives one before each attempt. */
export type UrlSource = string | URL | (() => string | URL | PromiseLike<string | URL>)

/** How an attempt has ended. */
interface Ended {
  readonly result: number
  readonly status: number
  readonly reason: string | null
  /** Of a handshake that was refused; 0 otherwise. */
  readonly httpStatus: number
  /** Whether the connection was there for so long that it counts as one. */
  readonly lasted: boolean
}

/**
 * One connection after the other. The whole of it is one async function: whatever ends a connection, there are never two
 * attempts at once.
 */
export class Loop implements ClientLoop {
  readonly done: Promise<number>
  attempts = 0
  readonly #side: ClientSide
  readonly #url: UrlSource
  readonly #callback: AnyProc
  readonly #arg: unknown
  readonly #options: ReconnectOptions
  /** Ends an attempt, and the wait for the next. */
  readonly #stopping = new AbortController()
  #farewell = { code: WS_STATUS_OK as number, reason: '' }
  #socket: Socket | null = null
  /** What the program gives us to call may speak of the loop: it is not called before the program has it. */
  readonly #constructed = Promise.resolve()

  constructor(side: ClientSide, url: UrlSource, callback: AnyProc, arg: unknown, options: ReconnectOptions) {
    this.#side = side
    this.#url = url
    this.#callback = callback
    this.#arg = arg
    this.#options = options
    const release = onAbort(options.signal, () => this.stop(WS_STATUS_GOING_AWAY))
    this.done = this.#run().finally(release)
  }

  get ws(): WebSocket | null {
    const socket = this.#socket
    return socket !== null && socket.state === WS_STATE_OPEN && !isClosing(socket) ? socket : null
  }

  stop(code: number = WS_STATUS_OK, reason = ''): void {
    if (this.#stopped) return
    this.#farewell = { code, reason }
    this.#stopping.abort()
    this.#close()
  }

  get #stableAfter(): number {
    return this.#options.stableAfter ?? STABLE_AFTER
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted
  }

  #close(): void {
    const { code, reason } = this.#farewell
    if (webSocketSendClose(this.#socket, code, reason) < 0) webSocketSendClose(this.#socket)
  }

  async #run(): Promise<number> {
    if (typeof this.#callback !== 'function') return R_ERR_BAD_ARGS
    const delays = this.#prepare()
    if (delays instanceof ClientError) {
      await this.#constructed
      return this.#fail(delays)
    }
    while (!this.#stopped) {
      const ended = await this.#attempt()
      if (ended.lasted) delays.reset()
      const goesOn = this.#stopped || this.#goesOn(ended)
      if (this.#stopped) break
      if (!goesOn) return ended.result
      await this.#wait(delays.next(ended.httpStatus === 401 || ended.httpStatus === 403))
    }
    return 0
  }

  /** What is wrong from the start will not be right at the next attempt. */
  #prepare(): Delays | ClientError {
    const { headers, reconnectInterval } = this.#options
    try {
      const url = typeof this.#url === 'function' ? 'ws://host' : this.#url
      const plan = toPlan(url, this.#toOptions(typeof headers === 'function' ? '' : headers))
      if (plan instanceof ClientError) return plan
      if (!(this.#stableAfter >= 0)) return badArgument('stableAfter is a number of milliseconds')
      return new Delays(reconnectInterval)
    } catch (error) {
      return badArgument(errorText(error))
    }
  }

  async #attempt(): Promise<Ended> {
    this.attempts++
    const opened = await this.#open()
    if (opened instanceof ClientError) {
      const result = await this.#fail(opened)
      return { result, status: WS_STATUS_COMMS_ERROR, reason: null, httpStatus: opened.status, lasted: false }
    }
    const start = this.#side.context.wheel.touch()
    this.#socket = opened
    if (this.#stopped) this.#close()
    const result = await run(opened, this.#callback, this.#arg)
    this.#socket = null
    const { closeStatus: status, ending } = opened
    const lasted = ending !== null && ending.at - start >= this.#stableAfter
    return { result, status, reason: ending?.reason ?? null, httpStatus: 0, lasted }
  }

  async #open(): Promise<Socket | ClientError> {
    const { headers } = this.#options
    try {
      if (typeof this.#url === 'function' || typeof headers === 'function') await this.#constructed
      const given = typeof this.#url === 'function' ? this.#url() : this.#url
      // Where it was stopped meanwhile there is none, and nothing is connected to.
      const url = isThenable(given) ? ((await this.#inTime(given)) ?? 'ws://stopped') : given
      if (url instanceof ClientError) return url
      const fresh = typeof headers === 'function' ? await this.#inTime(headers()) : headers
      if (fresh instanceof ClientError) return fresh
      return await open(this.#side, url, { ...this.#toOptions(fresh), signal: this.#stopping.signal })
    } catch (error) {
      return badArgument(errorText(error))
    }
  }

  /** What gives out a URL or headers is waited for as long as a server is. */
  async #inTime<T>(promise: T | PromiseLike<T>): Promise<T | ClientError | undefined> {
    const ms = toLimit(this.#options.handshakeTimeout ?? HANDSHAKE_TIMEOUT)
    if (ms === 0) return this.#unlessStopped(promise)
    const { clock } = this.#side.context
    const cancels: (() => void)[] = []
    const late = new Promise<ClientError>((resolve) => {
      cancels.push(clock.after(ms, () => resolve(timedOut(ms)), true))
    })
    try {
      return await this.#unlessStopped(Promise.race([promise, late]))
    } finally {
      for (const cancel of cancels) cancel()
    }
  }

  /** Those of one attempt: read anew, for certificates may have been renewed. */
  #toOptions(headers: UrlWebSocketOptions['headers'] = ''): UrlWebSocketOptions {
    const { timeout } = this.#options
    const { pingPeriod = timeout ? Math.min(PING_PERIOD, Math.floor(timeout / SILENCE)) : PING_PERIOD } = this.#options
    return { ...this.#options, headers, pingPeriod, timeout: timeout ?? Math.floor(pingPeriod * SILENCE) }
  }

  #fail(error: ClientError): Promise<number> {
    return fail(this.#side, this.#callback, this.#arg, this.#options, error)
  }

  #goesOn({ status, reason, httpStatus }: Ended): boolean {
    try {
      return this.#options.shouldReconnect?.(status, reason, httpStatus) !== false
    } catch (error) {
      this.#side.context.observer.warn(`shouldReconnect failed: ${errorText(error)}`)
      return true
    }
  }

  /** Resolves when the time has passed, or the loop is stopped. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        release()
        resolve()
      }
      const cancel = this.#side.context.clock.after(ms, done, this.#options.unref !== true)
      const release = onAbort(this.#stopping.signal, () => queueMicrotask(done))
    })
  }

  /** What a promise resolves with, or undefined as soon as the loop is stopped. */
  #unlessStopped<T>(promise: T | PromiseLike<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const release = onAbort(this.#stopping.signal, () => resolve(undefined))
      void Promise.resolve(promise).then(resolve, reject).finally(release)
    })
  }
}
