import { STATUS_CODES } from 'node:http'
import type { Exchange, HeaderList, Transport } from '../port.ts'
import { toSimpleOffer } from '../extensions.ts'
import { type AnswerHeaders, checkHeaders, validateHeaders } from '../../rfc9110.ts'
import { RequestBody } from './body.ts'
import { guard } from './guard.ts'
import { readHeaders, toAddress } from './headers.ts'
import type { NativeContext, NativeRequest, NativeResponse, NativeSocket } from './native.ts'
import { type Shared, UwsTransport } from './transport.ts'

/** What an exchange needs of its server. */
export interface Home extends Shared {
  readonly secure: boolean
  /** Compressed messages may refer to earlier ones. */
  readonly takeover: boolean
  /** Bytes of a body that are kept until somebody reads it: it comes whether it is wanted or not. */
  readonly maxBody: number
  /** Connections end with their answer from here on. */
  readonly stopping: boolean
  /** The name of its listener. */
  readonly listener: string
  /** There are more connections than there should be. */
  readonly crowded: boolean
  /** An exchange is over. */
  onDone(): void
  /** The socket that an upgrade has just made; null when it has ended already. */
  takeOpened(): NativeSocket | null
}

const STATUS_LINES = new Map(
  Object.entries(STATUS_CODES).map(([status, text]) => [Number(status), `${status} ${text}`]),
)

/** Bytes of an answer that uWebSockets.js may copy, where its peer does not take it at once. */
const AT_ONCE = 65_536

const NOBODY: readonly (() => void)[] = []
const NOTHING = (): void => {}

/**
 * One request of uWebSockets.js. The native request is gone when the handler returns, so that everything is read at
 * once; the native response may not be touched after the peer has gone, and ends the process if nobody listens for that.
 */
export class UwsExchange implements Exchange {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly version = '1.1'
  /** Its header block can be read in more than one way. */
  readonly ambiguous: boolean
  /** Bytes of the header block. */
  readonly headerBytes: number
  readonly #home: Home
  /** Null once it may not be touched. */
  #res: NativeResponse | null
  /** For the upgrade; null for a request that uWebSockets.js does not take for one. */
  #context: NativeContext | null
  /** Null until it is asked for: that is a call of the system, a tenth of what a request costs. */
  #address: string | null = null
  #body: RequestBody | null = null
  #aborts: readonly (() => void)[] = NOBODY
  #drains: readonly (() => void)[] = NOBODY
  /** Its handler has not returned: the peer cannot go, and uWebSockets.js collects what is written. */
  #handling = true
  /** `onAborted` is set. */
  #watched = false

  // The answer
  #status = 200
  #head: AnswerHeaders | null = null
  #headWritten = false
  /** No more of it will be written. */
  #ended = false
  /** It is the last of its connection. */
  #closes = false
  /** Bytes of it that were not taken yet. */
  #rest: Uint8Array | null = null

  constructor(res: NativeResponse, req: NativeRequest, context: NativeContext | null, home: Home) {
    this.#res = res
    this.#context = context
    this.#home = home
    this.method = req.getCaseSensitiveMethod()
    const query = req.getQuery()
    this.target = query === undefined ? req.getUrl() : `${req.getUrl()}?${query}`
    const { headers, bytes, ambiguous } = readHeaders(req)
    this.ambiguous = ambiguous
    this.headers = headers
    this.headerBytes = bytes + this.method.length + this.target.length + 14
    if ('content-length' in headers || 'transfer-encoding' in headers)
      this.#body = new RequestBody(res, this.#home.maxBody)
  }

  get remoteAddress(): string {
    this.#address ??= this.#res === null ? '' : toAddress(this.#res.getRemoteAddress())
    return this.#address
  }

  get secure(): boolean {
    return this.#home.secure
  }

  get listener(): string {
    return this.#home.listener
  }

  get crowded(): boolean {
    return this.#home.crowded
  }

  get done(): boolean {
    return this.#res === null
  }

  /** Its handler returns. */
  leave(): void {
    this.#handling = false
    // Without it an answer that comes later ends the process.
    if (this.#res !== null) this.#watch(this.#res)
  }

  readBody(limit: number): Promise<Buffer | null> {
    return this.#body?.read(limit) ?? Promise.resolve(Buffer.alloc(0))
  }

  // It is dropped beyond the limit anyway.
  refuseBody(): void {
    this.#closes = true
  }

  writeHead(status: number, headers: HeaderList): void {
    this.#head = checkHeaders(headers)
    this.#status = status
  }

  write(chunk: string | Uint8Array): boolean {
    return this.#write(chunk, false)
  }

  /** `keeps`: nobody changes the chunk any more. */
  #write(chunk: string | Uint8Array, keeps: boolean): boolean {
    const res = this.#res
    if (res === null) return true
    const length = this.#length
    let ok = true
    this.#cork(res, () => {
      this.#writeHead(res)
      if (length === null) ok = res.write(chunk)
      else if (typeof chunk === 'string') ok = this.#writePart(res, Buffer.from(chunk), length, true)
      else ok = this.#writePart(res, chunk, length, keeps)
    })
    if (!ok) res.onWritable(() => this.#writable())
    return ok
  }

  onDrain(fn: () => void): void {
    this.#drains = [...this.#drains, fn]
  }

  onAbort(fn: () => void): void {
    if (this.#res !== null) this.#aborts = [...this.#aborts, fn]
  }

  end(chunk?: string | Uint8Array): void {
    const res = this.#res
    if (res === null) return
    const lasts = this.#headWritten || (chunk !== undefined && chunk.length > AT_ONCE && !this.#closes)
    if (this.#length !== null && lasts) {
      if (chunk !== undefined) this.#write(chunk, true)
      this.#ended = true
      this.#abortIfShort()
      return
    }
    // A closure is not worth it where there is nothing to collect.
    if (this.#handling) this.#end(res, chunk)
    else res.cork(() => this.#end(res, chunk))
    this.#finished()
  }

  abort(): void {
    if (this.#res === null) return
    this.#watch(this.#res)
    this.#res.close()
  }

  /** Answers with a status only, and ends the connection. */
  refuse(status: number): void {
    this.writeHead(status, [])
    this.#closes = true
    this.end('')
  }

  upgrade(protocol: string, headers: HeaderList): Transport | null {
    const [res, context] = [this.#res, this.#context]
    if (res === null || context === null || this.#head !== null) return null
    validateHeaders(headers)
    const { headers: sent } = this
    const { compression, takeover } = this.#home
    const extensions = compression ? toSimpleOffer(sent['sec-websocket-extensions'] ?? '', takeover) : ''
    const transport = new UwsTransport(this.#home)
    this.#finished()
    if (headers.length > 0) {
      this.#cork(res, () => {
        res.writeStatus('101 Switching Protocols')
        for (const [name, value] of headers) res.writeHeader(name, value)
      })
    }
    // Nor does code of ours run between the upgrade and the end of its cork: see `open` of the app.
    const finish = res.upgrade.bind(res, { transport }, sent['sec-websocket-key'] ?? '', protocol, extensions, context)
    this.#cork(res, finish)
    const ws = this.#home.takeOpened()
    if (ws === null) return null
    transport.opened(ws)
    return transport
  }

  #watch(res: NativeResponse): void {
    if (this.#watched) return
    this.#watched = true
    res.onAborted(() => this.#aborted())
  }

  #cork(res: NativeResponse, fn: () => void): void {
    if (this.#handling) fn()
    else res.cork(fn)
  }

  #end(res: NativeResponse, chunk: string | Uint8Array | undefined): void {
    const length = this.#length
    // That it closes is said in a header: once those are written, that would be in the middle of the body.
    const closes = !this.#headWritten && (this.#closes || this.#home.stopping)
    const bodiless = !this.#headWritten && chunk === undefined && (length !== null || this.#hasNoBody())
    this.#writeHead(res)
    if (bodiless) {
      // `end` would call its Content-Length 0, whatever a GET would have had.
      if (length !== null) res.writeHeader('Content-Length', String(length))
      res.endWithoutBody()
    } else res.end(chunk ?? '', closes)
  }

  #writeHead(res: NativeResponse): void {
    if (this.#headWritten) return
    this.#headWritten = true
    // 200 is what it says by itself.
    if (this.#status !== 200) res.writeStatus(STATUS_LINES.get(this.#status) ?? `${this.#status} `)
    // Its Content-Length is written by `end` and `tryEnd` themselves.
    const others = this.#head?.others ?? []
    for (let i = 0; i < others.length; i++) {
      const header = others[i]
      if (header !== undefined) res.writeHeader(header[0], header[1])
    }
  }

  /** Its Content-Length; null: it is sent in chunks. */
  get #length(): number | null {
    return this.#head?.length ?? null
  }

  /** A part of an answer whose length was announced. False: the rest of it waits. */
  #writePart(res: NativeResponse, part: Uint8Array, length: number, keeps: boolean): boolean {
    if (this.#rest !== null) {
      this.#rest = Buffer.concat([this.#rest, part])
      return false
    }
    const before = res.getWriteOffset()
    const [ok, complete] = res.tryEnd(part, length)
    if (complete) this.#finished()
    else if (!ok) {
      const rest = part.subarray(res.getWriteOffset() - before)
      this.#rest = keeps ? rest : Buffer.from(rest)
    }
    return ok
  }

  /** The peer has taken what waited. */
  #writable(): boolean {
    // Complete, it forgets who waits.
    const [res, rest, length, drains] = [this.#res, this.#rest, this.#length, this.#drains]
    this.#rest = null
    // Of what it has copied itself, uWebSockets.js sends no more unless something is written.
    if (length === null) res?.cork(NOTHING)
    if (res !== null && rest !== null && length !== null && !this.#writePart(res, rest, length, true)) return false
    this.#drains = NOBODY
    for (const fn of drains) guard(fn)
    this.#abortIfShort()
    return true
  }

  /** RFC 9110 §6.4.1 */
  #hasNoBody(): boolean {
    return this.method === 'HEAD' || this.#status === 204 || this.#status === 304
  }

  /** What an answer has promised and not sent cannot be taken back. */
  #abortIfShort(): void {
    if (this.#ended && this.#rest === null) this.abort()
  }

  #aborted(): void {
    if (this.#res === null) return
    const aborts = this.#aborts
    this.#finished()
    for (const fn of aborts) guard(fn)
  }

  #finished(): void {
    this.#res = null
    this.#aborts = NOBODY
    this.#drains = NOBODY
    this.#body?.stop()
    this.#home.onDone()
  }
}
