import { createHmac } from 'node:crypto'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { OneBotWebhook } from '../../web/config/onebot-settings.ts'
import { isRecord } from '../../web/config/check.ts'
import { rError } from '../../websock/log.ts'
import type { Clock } from '../../engine/port.ts'
import type { Account } from '../account.ts'
import { Backlog, type Kept } from '../backlog.ts'
import { Endpoint } from '../endpoint.ts'
import { parseLenient } from '../envelope.ts'
import { toLifecycle } from '../events.ts'
import { Pause } from '../pause.ts'
import { quickOperation } from '../quick.ts'
import { withoutSecrets } from '../../web/without-secrets.ts'

/** Bytes of an answer: an operation on one event. One that is longer is none, and not read to its end. */
const MAX_ANSWER = 1_048_576
const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 307, 308])

/** Statuses that say so. */
const LATER = new Set([408, 425, 429])

/** One event, on its way. */
interface Sending {
  readonly url: URL
  readonly text: string
  /** How often it was tried before. */
  readonly attempt: number
  /** Another host was named in a redirect: it has no credential. */
  readonly stranger?: boolean
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** Where events are posted to, one after the other; what comes back may say what to do about them. */
export class WebhookEndpoint extends Endpoint<OneBotWebhook> {
  readonly #queue: Backlog
  #posting = false
  #closing = false
  /** Kept for the next: connections are used again. */
  readonly #agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) }
  readonly #stop = new AbortController()
  /** Before the next try. */
  readonly #pause = new Pause(this.clock)

  constructor(settings: OneBotWebhook, account: Account, clock: Clock) {
    super(settings, account, clock)
    this.#queue = new Backlog(
      () => this.settings.replay ?? { events: this.settings.queue, bytes: Infinity, age: Infinity },
      () => this.lose(1),
      () => clock.now(),
    )
  }

  open(): void {
    this.enter()
    this.startBeating()
    this.#push(toLifecycle(this.account.id, this.now, 'enable'))
  }

  /** What waits is still posted, with one try each, until one fails. */
  override close(): void {
    super.close()
    this.#push(toLifecycle(this.account.id, this.now, 'disable'))
    this.#closing = true
    this.#pause.end()
  }

  /** Resolves when the last event is told, or could not be. */
  async ended(ms: number): Promise<void> {
    const cancel = this.clock.after(ms, () => this.#stop.abort(), true)
    while (this.#posting) await new Promise<void>((resolve) => void this.#idle.push(resolve))
    cancel()
    this.#agents.http.destroy()
    this.#agents.https.destroy()
  }

  readonly #idle: (() => void)[] = []

  protected get isHeard(): boolean {
    return !this.#closing
  }

  override get waiting(): number {
    return this.#queue.size
  }

  protected send(text: string): void {
    this.#push(text)
  }

  #push(text: string): void {
    this.#queue.push(text)
    if (!this.#posting) void this.#postAll()
  }

  async #postAll(): Promise<void> {
    this.#posting = true
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) await this.#deliver(next)
    this.#posting = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Again where there was no answer at all, and where events are kept also behind one that says: later. */
  async #deliver(event: Kept): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const why = await this.#attempt(event, attempt)
      if (why === null) return
      const { name, url, retryInterval } = this.settings
      const last = this.#closing || !this.#mayRetry(event, attempt)
      rError('onebot', '%s: %s: %s%s', name, withoutSecrets(url), why, last ? '' : ', tried again')
      if (this.#closing) this.#queue.clear()
      if (last) return
      await this.#pause.wait(retryInterval)
    }
  }

  #mayRetry({ at }: Kept, attempt: number): boolean {
    const { replay, retries } = this.settings
    if (replay === null) return attempt < retries
    if (this.clock.now() - at <= replay.age) return true
    this.lose(1)
    return false
  }

  /** Why it was not told; null: it was, or it is of no use to try again. */
  async #attempt({ text }: Kept, attempt: number): Promise<string | null> {
    try {
      const { status, text: body } = await this.#post({ url: new URL(this.settings.url), text, attempt })
      if (this.settings.replay !== null && (status >= 500 || LATER.has(status))) return `answered ${status}`
      if (status < 200 || status > 299) rError('onebot', '%s: answered %d', this.settings.name, status)
      else if (status !== 204 && body.trim() !== '') this.#operate(text, body)
      return null
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #post(sending: Sending, redirects = MAX_REDIRECTS): Promise<Answer> {
    const { url, text, attempt, stranger = false } = sending
    const { secret, accessToken, timeout, verifyCertificate } = this.settings
    const secure = url.protocol === 'https:'
    const body = Buffer.from(text)
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
      'User-Agent': 'OneBot/11',
      'X-Self-ID': String(this.account.id),
      ...(secret === null ? {} : { 'X-Signature': sign(body, secret) }),
      ...(attempt > 0 ? { 'X-Retry-Count': String(attempt) } : {}),
      ...(accessToken === null || stranger ? {} : { Authorization: `Bearer ${accessToken}` }),
    }
    return new Promise((resolve, reject) => {
      const signals = [this.#stop.signal, ...(timeout > 0 ? [AbortSignal.timeout(timeout)] : [])]
      const options = {
        method: 'POST',
        headers,
        agent: secure ? this.#agents.https : this.#agents.http,
        signal: AbortSignal.any(signals),
        ...(secure ? { rejectUnauthorized: verifyCertificate } : {}),
      }
      const sent = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
        const { statusCode: status = 0, headers: given } = response
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          chunks.push(chunk)
          if (size <= MAX_ANSWER) return
          resolve({ status, text: '' })
          response.destroy()
        })
        response.on('error', reject)
        response.on('end', () => {
          const next = redirects > 0 && REDIRECTS.has(status) ? toRedirect(url, given.location) : null
          resolve(
            next === null
              ? { status, text: Buffer.concat(chunks).toString() }
              : this.#post({ ...sending, url: next, stranger: stranger || next.origin !== url.origin }, redirects - 1),
          )
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** What is no operation means nothing: a page, a word. */
  #operate(event: string, body: string): void {
    const operation = parseLenient(body)
    if (!isRecord(operation)) return
    try {
      quickOperation(this.call, JSON.parse(event), operation)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      rError('onebot', '%s: a quick operation cannot be read: %s', this.settings.name, why)
    }
  }
}

/** Where an answer sends to; null: nowhere. What was said in secret is not said in the open. */
function toRedirect(url: URL, location: string | undefined): URL | null {
  if (location === undefined || !URL.canParse(location, url.href)) return null
  const next = new URL(location, url)
  return next.protocol === 'https:' || next.protocol === url.protocol ? next : null
}

/** As the standard has it: `sha1=` and lower-case hex of the HMAC of the body. */
export const sign = (body: Buffer, secret: string): string =>
  `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`
