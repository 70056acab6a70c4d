import { createHmac } from 'node:crypto'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import Denque from 'denque'
import type { OneBotWebhook } from '../../web/config/onebot-settings.ts'
import { isRecord } from '../../web/config/check.ts'
import { rError } from '../../websock/log.ts'
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

interface Answer {
  readonly status: number
  readonly text: string
}

/** Where events are posted to, one after the other; what comes back may say what to do about them. */
export class WebhookEndpoint extends Endpoint<OneBotWebhook> {
  readonly #queue = new Denque<string>()
  #posting = false
  #closing = false
  #lost = 0
  /** Kept for the next: connections are used again. */
  readonly #agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) }
  readonly #stop = new AbortController()
  /** Before the next try. */
  readonly #pause = new Pause(this.clock)

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

  protected send(text: string): void {
    this.#push(text)
  }

  #push(text: string): void {
    if (this.#queue.length >= this.settings.queue) {
      this.#queue.shift()
      // Of many one line is enough.
      if (this.#lost++ % 1000 === 0)
        rError('onebot', '%s: is too slow, events are lost (%d)', this.settings.name, this.#lost)
    }
    this.#queue.push(text)
    if (!this.#posting) void this.#postAll()
  }

  async #postAll(): Promise<void> {
    this.#posting = true
    for (let text = this.#queue.shift(); text !== undefined; text = this.#queue.shift()) await this.#deliver(text)
    this.#posting = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Again only where there was no answer at all: one that says no has been told. */
  async #deliver(text: string): Promise<void> {
    const { name, retries, retryInterval } = this.settings
    for (let attempt = 0; ; attempt++) {
      try {
        const { status, text: body } = await this.#post(new URL(this.settings.url), text)
        if (status < 200 || status > 299) rError('onebot', '%s: answered %d', name, status)
        else if (status !== 204 && body.trim() !== '') this.#operate(text, body)
        return
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        const last = attempt >= retries || this.#closing
        rError('onebot', '%s: %s: %s%s', name, withoutSecrets(this.settings.url), why, last ? '' : ', tried again')
        if (this.#closing) this.#queue.clear()
        if (last) return
        await this.#pause.wait(retryInterval)
      }
    }
  }

  /** @param credential whether it may have that: who was named in a redirect of another has it not */
  #post(url: URL, text: string, redirects = MAX_REDIRECTS, credential = true): Promise<Answer> {
    const { secret, accessToken, timeout, verifyCertificate } = this.settings
    const secure = url.protocol === 'https:'
    const body = Buffer.from(text)
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
      'User-Agent': 'OneBot/11',
      'X-Self-ID': String(this.account.id),
      ...(secret === null ? {} : { 'X-Signature': sign(body, secret) }),
      ...(accessToken === null || !credential ? {} : { Authorization: `Bearer ${accessToken}` }),
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
              : this.#post(next, text, redirects - 1, credential && next.origin === url.origin),
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
