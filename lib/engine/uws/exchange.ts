import { STATUS_CODES } from 'node:http'
import type { Exchange, HeaderList, Transport } from '../port.ts'
import { toSimpleOffer } from '../extensions.ts'
import { validateHeaders } from '../../rfc9110.ts'
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
  /** An exchange is over. */
  onDone(): void
  /** The socket that an upgrade has just made; null when it has ended already. */
  takeOpened(): NativeSocket | null
}

/** A body on its way. */
interface Body {
  readonly chunks: Buffer[]
  length: number
  complete: boolean
  wake: (() => void) | null
}

/**
 * One request of uWebSockets.js. The native request is gone when the handler returns, so that everything is read at
 * once; the native response may not be touched after the peer has gone, and ends the process if nobody listens for that.
 */
export class UwsExchange implements Exchange {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly version = '1.1'
  readonly remoteAddress: string
  /** Bytes of the header block. */
  readonly headerBytes: number
  readonly #home: Home
  /** Null once it may not be touched. */
  #res: NativeResponse | null
  /** For the upgrade; null for a request that uWebSockets.js does not take for one. */
  #context: NativeContext | null
  #body: Body | null = null
  #read: Promise<Buffer | null> | null = null
  #aborts: (() => void)[] = []
  #drains: (() => void)[] = []

  // The answer
  #head: { status: number; headers: HeaderList } | null = null
  #headWritten = false
  /** No more of it will be written. */
  #ended = false
  /** It is the last of its connection. */
  #closes = false
  /** Its Content-Length; null: it is sent in chunks. */
  #length: number | null = null
  /** Bytes of it that were not taken yet. */
  #rest: Buffer | null = null

  constructor(res: NativeResponse, req: NativeRequest, context: NativeContext | null, home: Home) {
    // First of all: without it an answer that comes later ends the process.
    res.onAborted(() => this.#aborted())
    this.#res = res
    this.#context = context
    this.#home = home
    this.method = req.getCaseSensitiveMethod()
    const query = req.getQuery()
    this.target = query === undefined ? req.getUrl() : `${req.getUrl()}?${query}`
    const { headers, bytes } = readHeaders(req)
    this.headers = headers
    this.headerBytes = bytes + this.method.length + this.target.length + 14
    this.remoteAddress = toAddress(res.getRemoteAddress())
    if ('content-length' in headers || 'transfer-encoding' in headers) this.#collect(res)
  }

  get secure(): boolean {
    return this.#home.secure
  }

  get done(): boolean {
    return this.#res === null
  }

  readBody(limit: number): Promise<Buffer | null> {
    this.#read ??= this.#readBody(Math.min(limit, this.#home.maxBody))
    return this.#read
  }

  // It is dropped beyond the limit anyway.
  refuseBody(): void {
    this.#closes = true
  }

  writeHead(status: number, headers: HeaderList): void {
    validateHeaders(headers)
    this.#head = { status, headers }
    const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1]
    this.#length = length === undefined ? null : Number(length)
  }

  write(chunk: string | Uint8Array): boolean {
    const res = this.#res
    if (res === null) return true
    const length = this.#length
    let ok = true
    res.cork(() => {
      this.#writeHead(res)
      if (length === null) ok = res.write(chunk)
      else ok = this.#writePart(res, typeof chunk === 'string' ? Buffer.from(chunk) : chunk, length)
    })
    if (!ok) res.onWritable(() => this.#writable())
    return ok
  }

  onDrain(fn: () => void): void {
    this.#drains.push(fn)
  }

  onAbort(fn: () => void): void {
    if (this.#res !== null) this.#aborts.push(fn)
  }

  end(chunk?: string | Uint8Array): void {
    const res = this.#res
    if (res === null) return
    const length = this.#length
    if (this.#headWritten && length !== null) {
      if (chunk !== undefined) this.write(chunk)
      this.#ended = true
      this.#abortIfShort()
      return
    }
    res.cork(() => {
      const bodiless = !this.#headWritten && chunk === undefined && (length !== null || this.#hasNoBody())
      this.#writeHead(res)
      if (bodiless) {
        // `end` would call its Content-Length 0, whatever a GET would have had.
        if (length !== null) res.writeHeader('Content-Length', String(length))
        res.endWithoutBody()
      } else res.end(chunk ?? '', this.#closes || this.#home.stopping)
    })
    this.#finished()
  }

  abort(): void {
    this.#res?.close()
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
    res.cork(() => {
      res.writeStatus('101 Switching Protocols')
      for (const [name, value] of headers) res.writeHeader(name, value)
      res.upgrade({ transport }, sent['sec-websocket-key'] ?? '', protocol, extensions, context)
    })
    const ws = this.#home.takeOpened()
    if (ws === null) return null
    transport.opened(ws)
    return transport
  }

  async #readBody(limit: number): Promise<Buffer | null> {
    const body = this.#body
    if (body === null) return Buffer.alloc(0)
    while (!body.complete && this.#res !== null && body.length <= limit) {
      await new Promise<void>((resolve) => {
        body.wake = resolve
      })
    }
    if (!body.complete || body.length > limit) return null
    return Buffer.concat(body.chunks, body.length)
  }

  /** Takes the body as it comes; what is over the limit is counted and dropped. */
  #collect(res: NativeResponse): void {
    const body: Body = { chunks: [], length: 0, complete: false, wake: null }
    this.#body = body
    res.onData((chunk, last) => {
      body.length += chunk.byteLength
      body.complete = last
      if (body.length <= this.#home.maxBody) body.chunks.push(Buffer.from(Buffer.from(chunk)))
      else body.chunks.length = 0
      body.wake?.()
    })
  }

  #writeHead(res: NativeResponse): void {
    if (this.#headWritten) return
    this.#headWritten = true
    const { status, headers } = this.#head ?? { status: 200, headers: [] }
    res.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`)
    for (const [name, value] of headers) {
      // Written by `end` and `tryEnd` themselves.
      if (name.toLowerCase() !== 'content-length') res.writeHeader(name, value)
    }
  }

  /** A part of an answer whose length was announced. False: the rest of it waits. */
  #writePart(res: NativeResponse, part: Uint8Array, length: number): boolean {
    if (this.#rest !== null) {
      this.#rest = Buffer.concat([this.#rest, part])
      return false
    }
    const before = res.getWriteOffset()
    const [ok, complete] = res.tryEnd(part, length)
    if (complete) this.#finished()
    else if (!ok) this.#rest = Buffer.from(part.subarray(res.getWriteOffset() - before))
    return ok
  }

  /** The peer has taken what waited. */
  #writable(): boolean {
    // Complete, it forgets who waits.
    const [res, rest, length, drains] = [this.#res, this.#rest, this.#length, this.#drains]
    this.#rest = null
    if (res !== null && rest !== null && length !== null && !this.#writePart(res, rest, length)) return false
    this.#drains = []
    for (const fn of drains) guard(fn)
    this.#abortIfShort()
    return true
  }

  /** RFC 9110 §6.4.1 */
  #hasNoBody(): boolean {
    const status = this.#head?.status ?? 200
    return this.method === 'HEAD' || status === 204 || status === 304
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
    this.#aborts = []
    this.#drains = []
    this.#body?.wake?.()
    this.#home.onDone()
  }
}
