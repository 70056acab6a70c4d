import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A field of what came, whatever it is. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/** Somebody who writes messages, on many connections at once. */
export class Poster {
  /** Where it posts to: another process has another one. */
  port: number
  readonly #agent: Agent
  token = ''
  /** Whether that is a bot's own. */
  bot = false

  constructor(port: number, connections: number) {
    this.port = port
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  /** Connections to a process that has ended are of no use. */
  destroy(): void {
    this.#agent.destroy()
  }

  ask(method: string, path: string, body: object | null = null, key: string | null = null): Promise<Answer> {
    const bytes = body === null ? null : Buffer.from(JSON.stringify(body))
    const headers = {
      ...(this.token === '' ? {} : { Authorization: `${this.bot ? 'Bot' : 'Bearer'} ${this.token}` }),
      ...(bytes === null ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) }),
      ...(key === null ? {} : { 'Idempotency-Key': key }),
    }
    return new Promise((resolve, reject) => {
      const { port } = this
      const asking = request({ host: '127.0.0.1', port, agent: this.#agent, method, path, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          try {
            const text = Buffer.concat(chunks).toString()
            const parsed: unknown = text === '' ? null : JSON.parse(text)
            resolve({ status: response.statusCode ?? 0, body: parsed })
          } catch (error) {
            reject(error instanceof Error ? error : new Error('not JSON'))
          }
        })
      })
      asking.on('error', reject)
      asking.end(bytes ?? undefined)
    })
  }

  /** What must go well: its body. */
  async get(status: number, method: string, path: string, body: object | null = null): Promise<unknown> {
    const answer = await this.ask(method, path, body)
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Makes something; its id. */
  async make(path: string, body: object): Promise<string> {
    return String(fieldOf(await this.get(201, 'POST', path, body), 'id'))
  }

  /** An account, which is used from now on. */
  async register(username: string): Promise<void> {
    const body = { username, password: 'a long password' }
    this.token = String(fieldOf(await this.get(201, 'POST', '/auth/register', body), 'access_token'))
  }
}

/** One message that is to be posted. */
export interface Draft {
  readonly content: string
  /** Under which it may be sent again. */
  readonly key: string
}

/**
 * Posts all of them, so many at a time; those of an answer are noted with their ids. Ends early when the server does.
 * @param answered called for each answer
 */
export async function postAll(
  poster: Poster,
  channel: string,
  drafts: Iterable<Draft>,
  atOnce: number,
  answered: (draft: Draft, id: string) => void,
): Promise<void> {
  const left = drafts[Symbol.iterator]()
  let over = false
  const lane = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      if (over) return
      const draft = next.value
      try {
        const { status, body } = await poster.ask(
          'POST',
          `/channels/${channel}/messages`,
          { content: draft.content },
          draft.key,
        )
        if (status !== 201) throw new Refused(`${status} ${JSON.stringify(body)}`)
        answered(draft, String(fieldOf(body, 'id')))
      } catch (error) {
        if (error instanceof Refused) throw error
        // The connection has ended: so has the server.
        over = true
        return
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

class Refused extends Error {}

const PAGE = 100

/** All messages of a channel over HTTP, page by page: the newest first. */
export async function pageThrough(
  poster: Poster,
  channel: string,
): Promise<{ readonly id: string; readonly content: string }[]> {
  const all: { id: string; content: string }[] = []
  for (;;) {
    const last = all.at(-1)
    const before = last === undefined ? '' : `&before=${last.id}`
    const page = await poster.get(200, 'GET', `/channels/${channel}/messages?limit=${PAGE}${before}`)
    if (!Array.isArray(page)) throw new Error('no page')
    for (const one of page) all.push({ id: String(fieldOf(one, 'id')), content: String(fieldOf(one, 'content')) })
    if (page.length < PAGE) return all
  }
}
