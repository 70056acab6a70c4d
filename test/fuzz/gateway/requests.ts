import { Agent, request } from 'node:http'
import { posix } from 'node:path'
import type { EngineName } from '../../../lib/engine/port.ts'
import { API_SEGMENTS } from '../../../lib/web/config/gateway.ts'
import { openSockets, within } from '../live.ts'
import type { Random } from '../random.ts'
import { must, type Outcome, type Runner, type Target } from '../target.ts'
import { CALLERS, type Caller, Cast, INVISIBLE } from './cast.ts'
import { LiveGateway } from './host.ts'
import { type Input, isInput, makeInput, toInput } from './inputs.ts'
import { checkPrototypes } from './meaning.ts'
import { findRoutes, mustBeFound, type RouteCall } from './routes.ts'

const LANES = 16
const BOUND = 8000

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** What is sent is not what the cast's things are any more. */
const KEEPS_ALL = /^\/(?:channels\/[^/]+\/(?:messages|ack)|dm-channels\/[^/]+\/(?:messages|ack)|users\/@me)$/
/** What nothing outside may learn of the inside. */
const INSIDE = /\n\s+at |node:internal|SqliteError|SQLITE_|lib\/(?:chat|gateway|web)|\$scrypt\$/
const UNREADABLE = 'Bad Request\n'
const UNAUTHORIZED = '{"error":"Unauthorized","code":"UNAUTHORIZED"}'
/** Whoever has one of these is that person. */
const REFRESHES = [['$refresh$', 'owner']] as const
const NAMES = /\$(\w+)\$/g

const isCaller = (as: string): as is Caller => CALLERS.some((one) => one === as)
const statusOf = ({ status }: Reply): number => status
/** Of a path what may go on a line. */
const printable = (path: string): string =>
  `${path.startsWith('/') ? '' : '/'}${path}`.replaceAll(/[^\x21-\x7e]/g, encodeURIComponent)

/** Where a path leads to, when all in it is read; nowhere, when it cannot be. */
function resolvePath(path: string): string {
  try {
    return posix.normalize(decodeURIComponent(printable(path).split('?')[0] ?? ''))
  } catch {
    return ''
  }
}

const firstOf = (path: string): string => resolvePath(path).split('/')[1] ?? ''

/** What anybody may ask for. */
const PUBLIC: ReadonlySet<string> = new Set(['auth', 'health', 'emojis', 'portraits'])

/** Lifting one goes as well where there is none, whoever it is of. */
const BAN = /^\/servers\/[^/]+\/bans\/[^/]+$/

class RequestRunner implements Runner {
  readonly #gateway: LiveGateway
  readonly #routes: readonly RouteCall[]
  readonly #agent = new Agent({ keepAlive: true, maxSockets: LANES })
  readonly #casts: (Cast | undefined)[] = []
  readonly #statuses = new Map<number, number>()
  readonly #sockets = openSockets()
  #twins = 0
  #unreadable = 0
  #renewals = 0

  private constructor(gateway: LiveGateway) {
    this.#gateway = gateway
    this.#routes = findRoutes()
  }

  static async start(engine: EngineName): Promise<RequestRunner> {
    const gateway = await LiveGateway.start(engine)
    const runner = new RequestRunner(gateway)
    try {
      await runner.#checkRoutes()
    } catch (error) {
      await runner.stop()
      throw error
    }
    return runner
  }

  /** Each route is there for whoever may call it. */
  async #checkRoutes(): Promise<void> {
    const cast = new Cast(this.#gateway)
    // Hashing passwords takes the time of all others: it is tried with the inputs.
    for (const route of this.#routes.filter((one) => mustBeFound(one) && !one.dear)) {
      const { status, text } = await this.#send(cast, toInput(route))
      must(status >= 200 && status < 300, () => `${route.spec} that is in order: ${status} ${text}`)
      cast.renew()
    }
  }

  make(random: Random): Buffer {
    return makeInput(random, this.#routes)
  }

  async attempt(bytes: Buffer, lane: number): Promise<Outcome> {
    const input: unknown = JSON.parse(bytes.toString())
    must(isInput(input), 'not an input')
    const known = this.#casts[lane]
    if (known?.isWorn) known.leave()
    const cast = known === undefined || known.isWorn ? new Cast(this.#gateway) : known
    this.#casts[lane] = cast
    const reply = await this.#send(cast, input)
    this.#statuses.set(reply.status, (this.#statuses.get(reply.status) ?? 0) + 1)
    this.#gateway.check()
    checkPrototypes()
    this.#check(cast, input, reply)
    await this.#checkTwin(cast, input, reply)
    const went = reply.status >= 200 && reply.status < 300
    const changes = !['GET', 'HEAD', 'OPTIONS'].includes(input.method) && !KEEPS_ALL.test(resolvePath(input.path))
    if (went && changes) {
      this.#renewals++
      cast.renew()
    }
    return { count: 1, reached: went }
  }

  #check(cast: Cast, { path, as, method, body: sent }: Input, reply: Reply): void {
    const { status, text, headers } = reply
    const show = (): string => `${method} ${path} as ${as}: ${status} ${text.slice(0, 2000)}`
    const first = firstOf(path)
    const unavailable = status === 503 && first === 'auth'
    must(status > 0 && (status < 500 || unavailable), show)
    must(!INSIDE.test(text) && !text.includes(this.#gateway.folder.path), () => `tells of the inside: ${show()}`)
    const refreshed = first === 'auth' ? REFRESHES.find(([name]) => sent?.includes(name)) : undefined
    for (const [secret, whose] of cast.secrets) {
      const isOwn = whose !== null && (whose === as || whose === refreshed?.[1])
      must(!text.includes(secret) || isOwn, () => `tells ${secret}: ${show()}`)
    }
    if (status === 401 && first !== 'auth') must(text === UNAUTHORIZED || method === 'HEAD', show)
    const bad = !isCaller(as)
    if (bad && status < 300 && method !== 'OPTIONS') must(PUBLIC.has(first), show)
    if (status < 400 || method === 'HEAD') {
      const isFile = first === 'emojis' || first === 'portraits' || first === 'files'
      must(text === '' || isFile || headers['content-type'] === 'application/json', show)
      return
    }
    if (!API_SEGMENTS.some((segment) => segment === first)) return
    // What is no path at all is for no route, and headers that are too long are not read.
    if (text === UNREADABLE || (status === 431 && text === '')) {
      this.#unreadable++
      return
    }
    must(text.startsWith('{'), show)
    const body: unknown = JSON.parse(text)
    must(typeof body === 'object' && body !== null && Object.keys(body).toSorted().join() === 'code,error', show)
    const { code, error } = { code: '', error: '', ...body }
    must(typeof error === 'string' && error !== '' && /^[A-Z_]+$/.test(code), show)
  }

  /** What somebody may not see is as what there is not: the same request with ids of nothing has the same answer. */
  async #checkTwin(cast: Cast, input: Input, reply: Reply): Promise<void> {
    const { as, method, path } = input
    if (!isCaller(as)) return
    const hides = (text: string): boolean => [...text.matchAll(NAMES)].some(([, name = '']) => INVISIBLE[as].has(name))
    const target = resolvePath(path)
    if (!hides(target) && !hides(path) && !hides(input.body ?? '')) return
    const went = statusOf(reply) < 300
    // What others do meanwhile is listed there.
    if (target === '/servers/browse' || method === 'OPTIONS') return
    const lifts = method === 'DELETE' && BAN.test(target)
    const refused = hides(lifts ? target.replace(/[^/]*$/, '') : target)
    must(!(refused && went), () => `${method} ${path} as ${as} went well: ${reply.text.slice(0, 500)}`)
    // Done once, it is done: there is nothing to compare with.
    if (went && method !== 'GET' && !lifts) return
    const blank = (text: string): string =>
      text.replaceAll(NAMES, (all, name: string) => (INVISIBLE[as].has(name) ? '$unknown$' : all))
    this.#twins++
    const twin = await this.#send(cast, {
      ...input,
      path: blank(path),
      body: input.body === null ? null : blank(input.body),
    })
    const show = ({ status, text, headers }: Reply): string => {
      // After so many requests any connection ends.
      const { 'date': _date, 'connection': _connection, 'keep-alive': _alive, ...rest } = headers
      return JSON.stringify([status, text, rest])
    }
    must(show(reply) === show(twin), () => `${method} ${path} as ${as}: ${show(reply)}, and for nothing ${show(twin)}`)
  }

  #send(cast: Cast, { method, path, headers, body, as }: Input): Promise<Reply> {
    const resolve = (text: string): string =>
      text.replaceAll(NAMES, (all, name: string) => {
        const thing = cast.things.get(name)
        return thing ?? cast.things.get(name.toLowerCase())?.toUpperCase() ?? all
      })
    const credential = isCaller(as) ? cast.authorization(as) : as === 'nobody' ? '' : cast.bad(Number(as))
    const bytes = body === null ? null : Buffer.from(resolve(body), 'latin1')
    const all = {
      ...headers,
      ...(credential === '' ? {} : { Authorization: credential }),
      ...(bytes === null ? {} : { 'Content-Length': String(bytes.length) }),
    }
    const target = printable(resolve(path))
    return within(
      new Promise<Reply>((done, reject) => {
        const options = { host: '127.0.0.1', port: this.#gateway.port, agent: this.#agent, method, headers: all }
        const asking = request({ ...options, path: target }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () =>
            done({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          )
        })
        asking.on('error', reject)
        asking.end(bytes ?? undefined)
      }),
      `answer to ${method} ${target.slice(0, 300)}`,
    )
  }

  async settle(): Promise<void> {
    this.#agent.destroy()
    const start = performance.now()
    while (openSockets() > this.#sockets) {
      must(performance.now() - start < BOUND, () => `left over: ${openSockets() - this.#sockets} sockets`)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    this.#gateway.check()
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    await this.#gateway.stop()
  }

  notes(): string {
    const counts = [...this.#statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
    const unlisted = this.#routes.filter(({ listed }) => !listed).map(({ spec }) => spec)
    const routes = `${this.#routes.length} routes${unlisted.length === 0 ? '' : `, not described: ${unlisted.join(', ')}`}`
    return `(${routes}; ${counts.join(', ')}; ${this.#twins} compared with nothing; ${this.#renewals} renewals; ${this.#unreadable} unreadable)`
  }
}

/** Requests to every route of the API: never a failure of ours, and nothing of what is not for whoever asks. */
const onEngine = (engine: EngineName): Omit<Target, 'name'> => ({
  full: 100_000,
  quick: 500,
  lanes: LANES,
  minReached: 0.3,
  maxGrowth: 2e6,
  native: engine === 'uws',
  start: () => RequestRunner.start(engine),
})
export const gatewayRequests: Target = { name: 'gateway-request', ...onEngine('node') }
export const gatewayRequestsUws: Target = { name: 'gateway-request-uws', ...onEngine('uws') }
