import {
  type ClientLoop,
  webSocketClientLoop,
  webSocketGetErrorMessage,
  type WebSocketProc,
  webSocketSendString,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
} from '../../lib/index.ts' // Outside of this repository: 'fiberws'

// What a client of the Together gateway needs: requests, and events from a connection that comes back.

export interface User {
  readonly id: string
  readonly username: string
}
export interface Message {
  readonly channel_id: string
  readonly author_id: string | null
  readonly content: string
  readonly mention_user_ids: readonly string[]
}
/** What is looked at here of what the server tells; there is more. */
export type Told =
  | { readonly t: 'READY'; readonly d: { readonly user: User; readonly servers: readonly { readonly id: string }[] } }
  | { readonly t: 'MESSAGE_CREATE'; readonly d: Message }

const KNOWN = ['READY', 'MESSAGE_CREATE']
/** The server is believed: its specification says what each event holds. */
const isTold = (value: unknown): value is Told =>
  typeof value === 'object' && value !== null && 't' in value && KNOWN.includes(String(value.t))

/** Milliseconds between two signs of life. */
const HEARTBEAT = 30_000

/** The server does not let somebody in: to ask again would help nobody. */
class NotLetIn extends Error {}

/** One request to the API at `url`; throws what the server says is wrong. */
export async function request(
  url: string,
  authorization: string | null,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const answer = await fetch(url + path, {
    method,
    headers: {
      'Content-Type': 'application/json',
      ...(authorization === null ? {} : { Authorization: authorization }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const error = `${method} ${path}: ${answer.status} ${text}`
  if (answer.status === 401 || answer.status === 403) throw new NotLetIn(error)
  if (!answer.ok) throw new Error(error)
  const value: unknown = text === '' ? null : JSON.parse(text)
  return value
}

/** A text of an answer, such as its `access_token`. */
export const textOf = (value: unknown, name: string): string =>
  typeof value === 'object' && value !== null ? String(Reflect.get(value, name)) : ''

/**
 * Listens until it is stopped, or is not let in. `authorize` is asked for a token before each attempt, for tokens do not last.
 */
export function listen(url: string, authorize: () => Promise<string>, hear: (told: Told) => void): ClientLoop {
  let heart: NodeJS.Timeout | undefined
  const proc: WebSocketProc = (ws, event, buf) => {
    if (event === WS_EVENT_OPEN) heart = setInterval(() => webSocketSendString(ws, '{"op":"HEARTBEAT"}'), HEARTBEAT)
    if (event === WS_EVENT_CLOSE) clearInterval(heart)
    if (event === WS_EVENT_ERROR) console.error(webSocketGetErrorMessage(ws))
    const value: unknown = event === WS_EVENT_MESSAGE && typeof buf === 'string' ? JSON.parse(buf) : null
    if (isTold(value)) hear(value)
  }
  async function connect(): Promise<string> {
    const token = await authorize().catch((error: unknown) => {
      if (error instanceof NotLetIn) {
        process.exitCode = 1
        // Not before the loop has told of it.
        setImmediate(() => loop.stop())
      }
      throw error
    })
    return `${url.replace(/^http/, 'ws')}/ws?token=${token}`
  }
  const loop = webSocketClientLoop(
    connect,
    proc,
    null,
    // READY may be long.
    { reconnectInterval: { min: 1000, max: 30_000, jitter: 'full' }, maxMessage: 8 << 20 },
  )
  return loop
}
