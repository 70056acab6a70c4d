import type { Answer } from '../../web/answer.ts'
import { isRecord } from '../../web/config/check.ts'
import type { OneBotServer } from '../../web/config/onebot-settings.ts'
import type { Response } from '../../web/response.ts'
import { type Request, webReadBody } from '../../web/web.ts'
import type { Call } from '../actions/action.ts'
import { findAction } from '../actions/table.ts'
import { dispatch } from '../dispatcher.ts'
import { toSafe } from '../endpoint.ts'
import { parseLenient, toPart, toResponse } from '../envelope.ts'
import { BAD_REQUEST, FAILED, NO_CREDENTIAL, NOT_AVAILABLE, type Retcode, WRONG_CREDENTIAL } from '../failure.ts'
import type { Gate } from '../rate.ts'
import type { Streams } from './streams.ts'
import { judge } from './token.ts'

const JSON_TYPE = ['Content-Type', 'application/json; charset=utf-8'] as const
const ALLOW = ['Allow', 'GET, POST'] as const
const ANY_ORIGIN = ['Access-Control-Allow-Origin', '*'] as const
const PREFLIGHT = [
  ['Access-Control-Allow-Methods', 'GET, POST'],
  ['Access-Control-Allow-Headers', 'Authorization, Content-Type, Last-Event-ID'],
  ['Access-Control-Max-Age', '600'],
] as const

const NO_ECHO = '""'
const FORM = 'application/x-www-form-urlencoded'

/** What a request cannot be answered with as it should. */
class Refused extends Error {
  override readonly name = 'Refused'
  readonly status: number
  readonly retcode: Retcode

  constructor(status: number, retcode: Retcode, message: string) {
    super(message)
    this.status = status
    this.retcode = retcode
  }
}

/** The client has its answer already, or has gone. */
class Answered extends Error {
  override readonly name = 'Answered'
}

type Params = Record<string, unknown>

export interface HttpMeans {
  readonly settings: () => OneBotServer
  readonly call: () => Call
  readonly streams: Streams
  readonly gate: Gate
  /** Where it is asked for. */
  readonly log: (direction: '<' | '>', text: () => string) => void
  /** Told of who is not let in. */
  readonly refuse: (verdict: 'missing' | 'wrong') => void
}

/** Actions by `GET /action?…` and `POST /action`, and events as a stream at `/_events`. */
export class Http {
  readonly #means: HttpMeans

  constructor(means: HttpMeans) {
    this.#means = means
  }

  async serve(request: Request): Promise<void> {
    const { response } = request
    if (response === null) return
    const settings = this.#means.settings()
    const { query } = request
    // Nothing keeps what was in it.
    request.url = request.path
    if (settings.cors && settings.token !== null) response.add([ANY_ORIGIN])
    if (request.method === 'OPTIONS') return preflight(response)
    try {
      if (request.method !== 'GET' && request.method !== 'POST') {
        response.add([ALLOW])
        throw new Refused(405, BAD_REQUEST, 'GET or POST')
      }
      this.#checkCredential(request, query, settings)
      const [, name = ''] = request.path.split('/')
      if (name === '_events' && settings.sse) {
        return this.#means.streams.add(response, request.headers['last-event-id'] ?? '')
      }
      if (!settings.http) throw new Refused(404, NOT_AVAILABLE, 'There is no HTTP API here')
      await this.#run(name, query, request, response)
    } catch (error) {
      if (error instanceof Answered) return
      if (!(error instanceof Refused)) throw error
      const { status, retcode, message } = error
      give(response, status, toResponse({ retcode, data: null, message }, NO_ECHO))
    }
  }

  async #run(path: string, query: string, request: Request, response: Response): Promise<void> {
    const asking = toParams(new URLSearchParams(query))
    const params = request.method === 'GET' ? asking : { ...(await readBody(request)), ...asking }
    const { access_token: _, ...rest } = params
    const echo = toEcho(rest['echo'])
    const asked = path === '' ? toAsked(rest) : { name: path, params: rest }
    if (asked === null) return give(response, 200, GREETING)
    const { gate, call, log } = this.#means
    const wait = gate.enter()
    if (wait !== null) await wait
    log('<', () => JSON.stringify({ action: asked.name, params: asked.params }))
    const outcome = await dispatch(asked.name, asked.params, call(), (data) => sendPart(response, data, echo))
    const known = outcome.retcode !== NOT_AVAILABLE || findAction(asked.name) !== undefined
    const text = toSafe(outcome, echo)
    log('>', () => text)
    give(response, known ? 200 : 404, text)
  }

  #checkCredential(request: Request, query: string, { token }: OneBotServer): void {
    const verdict = judge(request.headers, query, token)
    if (verdict === 'good') return
    this.#means.refuse(verdict)
    if (verdict === 'missing') request.response?.add([['WWW-Authenticate', 'Bearer']])
    const [status, retcode] =
      verdict === 'missing' ? ([401, NO_CREDENTIAL] as const) : ([403, WRONG_CREDENTIAL] as const)
    throw new Refused(status, retcode, NOT_VERIFIED)
  }
}

const GREETING = toResponse({ retcode: 0, data: {}, message: 'fiberws: OneBot 11 is served here' }, NO_ECHO)

/** As go-cqhttp: the action may be a parameter. */
function toAsked(params: Params): { readonly name: string; readonly params: unknown } | null {
  const { action, params: inner } = params
  if (typeof action !== 'string') return null
  return { name: action, params: typeof inner === 'string' ? (parseLenient(inner) ?? inner) : inner }
}

function toEcho(echo: unknown): string {
  if (echo === undefined) return NO_ECHO
  try {
    return JSON.stringify(echo)
  } catch {
    return NO_ECHO
  }
}

/** Of several of one name the last counts. */
const toParams = (given: URLSearchParams): Params => Object.fromEntries(given)

/** Lists and objects come as JSON in a form. */
const toFormParams = (given: URLSearchParams): Params =>
  Object.fromEntries(
    [...given].map(([key, value]) => [key, /^\s*[[{]/.test(value) ? (parseJson(value) ?? value) : value]),
  )

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** JSON, or what people write for it, whatever it is called; or a form. */
async function readBody(request: Request): Promise<Params> {
  const body = await webReadBody(request)
  if (body === null) throw new Answered()
  const text = body.toString()
  if (text.trim() === '') return {}
  const [type = ''] = (request.headers['content-type'] ?? '').toLowerCase().split(';', 1)
  const isForm = type.trim() === FORM
  // `curl -d '{…}'` calls it a form.
  const value = isForm && !/^\s*\{/.test(text) ? undefined : parseLenient(text)
  if (isRecord(value)) return value
  if (isForm) return toFormParams(new URLSearchParams(text))
  const isJson = /^application\/(?:[\w.+-]+\+)?json$/.test(type.trim())
  if (isJson || value !== undefined) throw new Refused(400, BAD_REQUEST, 'The body must be a JSON object')
  throw new Refused(406, BAD_REQUEST, 'The body must be JSON, or a form')
}

/** NapCat's words. */
const NOT_VERIFIED = 'token verify failed!'

/** Between two parts of an answer: NapCat's. */
const SEPARATOR = '\r\n\r\n'

async function sendPart(response: Response, data: object, echo: string): Promise<boolean> {
  if (response.done) return false
  if (!response.started) response.add([JSON_TYPE])
  if (!response.write(`${toPart(data, echo)}${SEPARATOR}`)) await response.flushed()
  return !response.done
}

function preflight(response: Response): void {
  response.add(PREFLIGHT)
  response.setStatus(204)
  response.end()
}

function give(response: Response, status: number, text: string): void {
  if (response.done) return
  // Behind parts of it.
  if (response.started) return response.end(text)
  response.setStatus(status)
  response.add([JSON_TYPE])
  response.end(text)
}

/** What is answered before anything is served, as clients read it. */
export const toError = (given: Answer): Answer => ({
  ...given,
  text: toResponse({ retcode: given.status >= 500 ? FAILED : BAD_REQUEST, data: null, message: given.text }, NO_ECHO),
  headers: [...given.headers, JSON_TYPE],
})
