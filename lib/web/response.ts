import type { Exchange, HeaderList } from '../engine/port.ts'
import { contentLength, isLength } from '../rfc9110.ts'
import { type Answer, answer } from './answer.ts'

const TOO_LONG = answer(413)
const FAILED = answer(500)

/** Who is told of an answer. */
export interface Watcher {
  /** It is an error: a status of 400 or more, or broken off. */
  onError(): void
  /** It is complete, or its peer has gone. */
  onEnd(): void
}

/** The answer to one request, whoever gives it: host, route and action each add headers to it. */
export class Response {
  readonly exchange: Exchange
  /** Bytes of a body that the request may have. */
  maxBody = Infinity
  headers: HeaderList
  /** Headers that any answer has, also a 500: those of host and route. */
  base: HeaderList
  /** Errors as the clients of the route read them; null: as text. */
  toError: ((answer: Answer) => Answer) | null = null
  /** Null once it was told of the end. */
  watcher: Watcher | null = null
  #status = 200
  #started = false
  /** It is complete, though its peer may have yet to read it. */
  #ended = false
  /** Bytes to come, where that was announced: then the answer is complete. */
  #left = Infinity
  /** More of it waits than should: until the peer has read on. */
  #waits: Promise<void> | null = null
  /** Ends the latest wait; null before the first. */
  #wake: (() => void) | null = null

  /** @param headers those of the host */
  constructor(exchange: Exchange, headers: HeaderList) {
    this.exchange = exchange
    this.headers = headers
    this.base = headers
  }

  /** Nothing can be written to it any more. */
  get done(): boolean {
    return this.#ended || this.exchange.done
  }

  /** Status and headers are on their way. */
  get started(): boolean {
    return this.#started
  }

  /** 0 before it is on its way. */
  get status(): number {
    return this.#started ? this.#status : 0
  }

  get waits(): boolean {
    return this.#waits !== null
  }

  setStatus(status: number): void {
    this.#status = status
  }

  /** Takes the place of headers of the same names. */
  add(headers: HeaderList): void {
    this.headers = joinHeaders(this.headers, headers)
  }

  /** A whole answer, where none was begun. */
  give(given: Answer): void {
    if (this.done || this.#started) return
    const { status, text, headers, closes } = given.status >= 400 && this.toError !== null ? this.toError(given) : given
    this.#status = status
    if (closes === true) this.exchange.refuseBody()
    const typed = headers.some(([name]) => name === 'Content-Type')
    const body = typed ? text : `${text}\n`
    if (hasContent(status)) this.add([['Content-Type', 'text/plain; charset=utf-8']])
    this.add([...headers, ['Content-Length', String(Buffer.byteLength(body))]])
    this.end(body)
  }

  /** For what is not the request's fault: 500, or the end of the connection where an answer was begun. */
  fail(): void {
    if (this.done) return
    if (this.#started) return this.abort()
    // What was said of another answer is not true of this one.
    this.headers = this.base
    try {
      this.give(FAILED)
    } catch {
      // Its headers may be what has failed.
      this.abort()
    }
  }

  /** 413, and the end of the connection: the rest of the body is not read. */
  refuseBody(): void {
    if (this.done || this.#started) return
    this.exchange.refuseBody()
    this.give(TOO_LONG)
  }

  /** Sends status and headers. */
  #start(): void {
    this.#started = true
    this.#left = contentLength(this.headers) ?? Infinity
    this.exchange.writeHead(this.#status, this.headers)
    if (this.#status >= 400) this.watcher?.onError()
  }

  /** Bytes that may still be written: Infinity where no length is announced. */
  get left(): number {
    return this.#started ? this.#left : (contentLength(this.headers) ?? Infinity)
  }

  /** Whether what is written is sent: not to HEAD, and not with 204 and 304 (RFC 9110 §6.4.1). */
  get #sends(): boolean {
    return this.exchange.method !== 'HEAD' && hasContent(this.#status)
  }

  /** A part of the body; false when it is better to wait for `flushed` before the next. */
  write(chunk: string | Uint8Array): boolean {
    if (this.done) return true
    if (!this.#started) this.#start()
    if (!this.#sends) return true
    this.#left -= Buffer.byteLength(chunk)
    const taken = this.exchange.write(chunk)
    if (this.#left <= 0) this.#complete()
    if (taken || this.done) return true
    this.#waits ??= new Promise((resolve) => {
      if (this.#wake === null) this.exchange.onAbort(() => this.#wake?.())
      this.#wake = () => {
        this.#waits = null
        resolve()
      }
      this.exchange.onDrain(this.#wake)
    })
    return false
  }

  /** Resolves when the peer has taken what was written, or has gone. */
  flushed(): Promise<void> {
    return this.#waits ?? Promise.resolve()
  }

  /** The end of the body. What has no body yet is as long as `chunk`. */
  end(chunk?: string | Uint8Array): void {
    if (this.done) return this.#over()
    if (this.#started) {
      // A promise that cannot be kept any more.
      if (this.#sends && this.#left !== Infinity && this.#left !== lengthOf(chunk)) return this.abort()
    } else this.#begin(lengthOf(chunk))
    this.#complete(this.#sends ? chunk : undefined)
  }

  #complete(chunk?: string | Uint8Array): void {
    this.#ended = true
    this.exchange.end(chunk)
    this.#over()
  }

  /** Sends the header of an answer whose whole body is known. */
  #begin(length: number): void {
    if (!hasContent(this.#status)) this.headers = this.headers.filter((header) => !isLength(header))
    else {
      const announced = contentLength(this.headers)
      // HEAD may be answered without the body whose length it tells.
      const told = this.exchange.method === 'HEAD' && announced !== null
      if (!told && announced !== length) this.add([['Content-Length', String(length)]])
    }
    this.#start()
  }

  /** The client has what it asks for: status and headers only (RFC 9110 §15.4.5). */
  notModified(): void {
    this.#status = 304
    this.end()
  }

  /** Drops the connection: what was begun cannot be finished. */
  abort(): void {
    this.#over(this.#started)
    this.exchange.abort()
  }

  /** Looks whether its peer has gone before it was complete. */
  lost(): void {
    if (this.done) this.#over(this.#started)
  }

  /** Tells once that nothing more comes. */
  #over(broken = false): void {
    const { watcher } = this
    this.watcher = null
    if (broken) watcher?.onError()
    watcher?.onEnd()
  }
}

const lengthOf = (chunk: string | Uint8Array | undefined): number =>
  chunk === undefined ? 0 : typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length

/** Whether an answer of a status has a body. */
const hasContent = (status: number): boolean => status !== 204 && status !== 304

/** Lists are short: comparing is cheaper than a set. */
function replaces(later: string, earlier: string): boolean {
  if (later.length !== earlier.length) return false
  const name = later.toLowerCase()
  return name !== 'set-cookie' && name === earlier.toLowerCase()
}

/** Later headers take the place of earlier ones of the same name; cookies stand beside each other (RFC 9110 §5.3). */
export function joinHeaders(before: HeaderList, after: HeaderList): HeaderList {
  if (before.length === 0) return after
  if (after.length === 0) return before
  const rest = before.filter(([name]) => !after.some(([other]) => replaces(other, name)))
  return rest.length === 0 ? after : [...rest, ...after]
}
