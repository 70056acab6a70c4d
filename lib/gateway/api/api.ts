import { isUtf8 } from 'node:buffer'
import type { Files } from '../../chat/files.ts'
import { Refusal } from '../../chat/refusal.ts'
import { serveStored } from '../../files/serve.ts'
import type { Answer } from '../../web/answer.ts'
import type { Response } from '../../web/response.ts'
import { toClient } from '../../web/address.ts'
import { type Allowance, Buckets } from '../../web/buckets.ts'
import { type Request, webReadBody } from '../../web/web.ts'
import { rFailure } from '../../websock/log.ts'
import { TooSoon, Unauthorized } from '../accounts.ts'
import type { GatewaySettings } from '../../web/config/gateway.ts'
import type { Caller, Tokens } from '../tokens.ts'
import { BadId, toId } from './call.ts'
import { NOT_FOUND, OF_REFUSAL, toAnswer, toUnauthorized } from './errors.ts'
import { type Form, parseForm } from './form.ts'
import { type Call, type Found, NO_CONTENT, type Reply, type Route, type Router } from './router.ts'

/** What cannot be read as JSON. */
class BadJson extends Error {
  override readonly name = 'BadJson'
}

/** A body that is not what its route reads. */
class WrongType extends Error {
  override readonly name = 'WrongType'
}

/** The request was answered already, or its client has gone. */
class Answered extends Error {
  override readonly name = 'Answered'
}

const BAD_ID = toAnswer(400, 'BAD_ID', 'Not an id')
const BAD_JSON = toAnswer(400, 'BAD_JSON', 'The body is not JSON')
const FAILED = toAnswer(500, 'INTERNAL', 'Something went wrong')

const JSON_TYPE = [['Content-Type', 'application/json']] as const
const HEADERS = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
] as const
/** Nothing on the way keeps tokens. */
const SECRET = /^\/(?:auth|bots)(?:\/|$)/
const CORS = [
  ['Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE'],
  ['Access-Control-Allow-Headers', 'Authorization, Content-Type, Idempotency-Key'],
  ['Access-Control-Max-Age', '600'],
] as const

/** Requests of an address, of one that logs in or tries to, and of a bot wherever it is. */
const OF_ADDRESS: Allowance = { rate: 10, burst: 20 }
const OF_LOGINS: Allowance = { rate: 2, burst: 5 }
const OF_BOT: Allowance = { rate: 50, burst: 100 }

const tooMany = (seconds: number, why = 'Too many requests'): Answer =>
  toAnswer(429, 'RATE_LIMITED', why, [['Retry-After', String(seconds)]])

/** Answers requests, each by the route that it is for. */
export class Api {
  readonly #router: Router
  readonly #tokens: Tokens
  readonly #files: Files
  readonly #prefix: string
  readonly #origins: readonly string[]

  /** Bytes of most bodies. */
  readonly #maxBody: number
  /** Null: nothing is limited. */
  readonly #buckets: Buckets | null

  constructor(
    router: Router,
    tokens: Tokens,
    files: Files,
    { apiPrefix, origins, limitsRates, maxBody }: GatewaySettings,
  ) {
    this.#router = router
    this.#tokens = tokens
    this.#files = files
    this.#prefix = apiPrefix
    this.#buckets = limitsRates ? new Buckets(() => performance.now()) : null
    this.#origins = origins
    this.#maxBody = maxBody
  }

  async serve(request: Request): Promise<void> {
    const { response } = request
    if (response === null) return
    // Links to files are the same wherever the API is.
    const path = request.path.startsWith(`${this.#prefix}/`) ? request.path.slice(this.#prefix.length) : request.path
    response.add(SECRET.test(path) ? [...HEADERS, ['Cache-Control', 'no-store']] : HEADERS)
    this.#addCors(request, response)
    if (request.method === 'OPTIONS') return reply(response, NO_CONTENT)
    const caller = this.#identify(request.headers['authorization'])
    const wait = this.#buckets === null ? 0 : this.#take(this.#buckets, path, request.remote, caller)
    if (wait > 0) return response.give(tooMany(wait))
    const found = this.#router.find(path)
    if (found === null) return response.give(NOT_FOUND)
    // An answer to HEAD is one to GET, without its body.
    const route = found.routes.get(request.method === 'HEAD' ? 'GET' : request.method)
    if (route === undefined) return response.give(notAllowed(found))
    try {
      const call = await toCall(request, route, found, caller, this.#maxBody)
      const result = await route.run(call)
      if ('file' in result) await serveStored(this.#files, result.file, request, response)
      else reply(response, result)
    } catch (error) {
      if (!(error instanceof Answered)) response.give(toFailure(error))
    }
  }

  /** Counts a request; 0, or in how many seconds the next may come. */
  #take(buckets: Buckets, path: string, remote: string, caller: Caller | null): number {
    if (path.startsWith('/auth/')) return buckets.take(`auth ${toClient(remote)}`, OF_LOGINS)
    if (caller !== null && caller.bot !== null) return buckets.take(`bot ${caller.bot.id}`, OF_BOT)
    return buckets.take(toClient(remote), OF_ADDRESS)
  }

  #identify(authorization: string | undefined): Caller | null {
    const [, scheme = '', token = ''] = /^(Bearer|Bot) +(\S+) *$/i.exec(authorization ?? '') ?? []
    if (token === '') return null
    return scheme.toLowerCase() === 'bot' ? this.#tokens.verifyBot(token) : this.#tokens.verify(token)
  }

  /** Pages of origins that are listed may read answers; of others none may. */
  #addCors(request: Request, response: Response): void {
    if (this.#origins.length === 0) return
    response.add([['Vary', 'Origin']])
    const { origin } = request.headers
    if (origin === undefined || !(this.#origins.includes(origin) || this.#origins.includes('*'))) return
    response.add([['Access-Control-Allow-Origin', origin], ...(request.method === 'OPTIONS' ? CORS : [])])
  }
}

/** Of what a part of a path is called. */
const IS_ID = /^(?:.+_)?id$/

const READERS: Readonly<Record<Route['reads'], (request: Request) => Promise<unknown>>> = {
  nothing: async () => null,
  json: readJson,
  form: readForm,
}

/** Checked in this order: who, ids, body; the rest is up to the route. */
async function toCall(
  request: Request,
  route: Route,
  found: Found,
  caller: Caller | null,
  maxBody: number,
): Promise<Call<unknown>> {
  if (route.who !== 'public' && caller === null) throw new Unauthorized('Unauthorized')
  const params = Object.fromEntries(
    Object.entries(found.params).map(([name, part]) => [name, IS_ID.test(name) ? toId(part) : part]),
  )
  const { headers, path, method } = request
  // The system has to be asked for it, and before the body has come: the client may have gone then.
  const remote = route.pattern.startsWith('/auth/') ? request.remote : ''
  const key = headers['idempotency-key'] ?? null
  if (request.response !== null) limitBody(request.response, route.maxBody ?? maxBody)
  const body = await READERS[route.reads](request)
  const query = new URLSearchParams(request.query)
  return { caller, params, query, body, remote, key, target: `${method} ${path}` }
}

function notAllowed({ routes }: Found): Answer {
  const methods = [...routes.keys()]
  const allow = methods.includes('GET') ? [...methods, 'HEAD'] : methods
  return toAnswer(405, 'METHOD_NOT_ALLOWED', 'Method not allowed', [['Allow', allow.join(', ')]])
}

function reply(response: Response, { status, body, headers }: Reply): void {
  if (response.done) return
  response.setStatus(status)
  if (body === '') return response.end()
  response.add(headers ?? JSON_TYPE)
  response.end(body)
}

/** A body of more than that is not read. */
function limitBody(response: Response, most: number): void {
  response.maxBody = most
  if (Number(response.exchange.headers['content-length'] ?? 0) <= most) return
  response.refuseBody()
  throw new Answered()
}

async function readBody(request: Request): Promise<Buffer> {
  const body = await webReadBody(request)
  // It was too long, which has been said, or the client has gone.
  if (body === null) throw new Answered()
  return body
}

async function readForm(request: Request): Promise<Form> {
  const body = await readBody(request)
  const type = request.headers['content-type'] ?? ''
  if (!/^multipart\/form-data *;/i.test(type)) throw new WrongType('multipart/form-data')
  return parseForm(body, type)
}

async function readJson(request: Request): Promise<unknown> {
  const body = await readBody(request)
  if (body.length === 0) return {}
  if (!/^application\/json *(?:;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new WrongType('application/json')
  if (!isUtf8(body)) throw new BadJson()
  try {
    const value: unknown = JSON.parse(body.toString())
    return value
  } catch {
    throw new BadJson()
  }
}

/** What a client is told of what was thrown: nothing that is not meant for it. */
function toFailure(error: unknown): Answer {
  if (error instanceof Refusal) {
    const { status, code } = OF_REFUSAL[error.code]
    return toAnswer(status, code, error.message, status === 503 ? [['Retry-After', '5']] : [])
  }
  if (error instanceof Unauthorized) return toUnauthorized(error.message)
  if (error instanceof TooSoon) return tooMany(error.seconds, error.message)
  if (error instanceof BadId) return BAD_ID
  if (error instanceof BadJson) return BAD_JSON
  if (error instanceof WrongType) return toAnswer(415, 'UNSUPPORTED_TYPE', `The body has to be ${error.message}`)
  rFailure('gateway', 'Request failed', error)
  return FAILED
}
