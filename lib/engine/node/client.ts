import { createHash, randomBytes } from 'node:crypto'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP, type Socket } from 'node:net'
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import { hasToken, MAGIC, VERSION } from '../../rfc6455.ts'
import type { ClientPort, Dialed, DialFailure, DialOptions } from '../port.ts'
import { acceptResponse, type Compression, createOffer } from '../extensions.ts'
import { proxyAgent } from './proxy.ts'
import { NodeTransport } from './transport.ts'

/** Bytes that are kept of an answer that is no upgrade. */
const MAX_BODY = 4096
/** Characters of it that go into a message. */
const MAX_REASON = 100
const NO_UPGRADE = 'Server answered 101 without Upgrade and Connection: Upgrade'

/** The opening handshake of RFC 6455 §4.1 on node:http(s), and our own frames behind it. */
export const nodeClient: ClientPort = {
  async dial(options) {
    try {
      return await shake(options, options.agent ?? (await proxyAgent(options.url, options.signal)))
    } catch (error) {
      return notConnected(error)
    }
  },
}

function shake(options: DialOptions, agent: http.Agent | null): Promise<Dialed | DialFailure> {
  const { url, signal } = options
  const key = randomBytes(16).toString('base64')
  const secure = url.protocol === 'https:'
  return new Promise((resolve) => {
    const req = (secure ? https : http).request(url, {
      ...(secure ? toTls(options) : {}),
      headers: { ...toFields(options), ...handshakeFields(options, key) },
      // One that keeps connections could hand out one that has gone.
      agent: agent ?? false,
      signal,
    })
    let response: IncomingMessage | null = null
    // An error behind the start of an answer only cuts its body off.
    req.on('error', (error) => void (response === null && resolve(notConnected(error))))
    // A request whose agent has no connection yet tells nobody that it was given up.
    const giveUp = (): void => void (req.socket === null && resolve(notConnected(signal.reason)))
    signal.addEventListener('abort', giveUp, { once: true })
    req.once('upgrade', (res: IncomingMessage, socket: Socket, head: Buffer) => {
      const dialed = signal.aborted ? notConnected(signal.reason) : accept(res, socket, head, key, options)
      if ('cause' in dialed) socket.destroy()
      resolve(dialed)
    })
    req.once('response', (res) => {
      response = res
      void answered(res).then(resolve)
    })
    req.end()
  })
}

/** The server has answered like a web server. */
async function answered(res: IncomingMessage): Promise<DialFailure> {
  if (res.statusCode === 101) {
    res.destroy()
    return badAnswer(res, NO_UPGRADE, '')
  }
  const body = await readBody(res)
  res.destroy()
  return badAnswer(
    res,
    `Server answered ${res.statusCode} ${res.statusMessage}${redirect(res) || reason(res, body)}`,
    body,
  )
}

/** Header fields by name, those that come more than once as lists. */
function toFields({ headers }: DialOptions): Record<string, string | string[]> {
  const fields = new Map<string, { name: string; values: string[] }>()
  for (const [name, value] of headers) {
    const field = fields.get(name.toLowerCase()) ?? { name, values: [] }
    field.values.push(value)
    fields.set(name.toLowerCase(), field)
  }
  return Object.fromEntries(
    Array.from(fields.values(), ({ name, values }) => [name, values.length === 1 ? values.join() : values]),
  )
}

/** The certificate has to be that of the URL's host, whatever a Host header says, and behind a proxy too. */
function toTls({ url, tls }: DialOptions): ConnectionOptions {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const name = typeof tls['servername'] === 'string' ? tls['servername'] : host
  return {
    minVersion: 'TLSv1.2',
    servername: isIP(name) === 0 ? name : '',
    ...tls,
    checkServerIdentity: (_name, certificate) => checkServerIdentity(name, certificate),
  }
}

const handshakeFields = ({ protocols, compression }: DialOptions, key: string): Record<string, string> => ({
  'Upgrade': 'websocket',
  'Connection': 'Upgrade',
  'Sec-WebSocket-Version': String(VERSION),
  'Sec-WebSocket-Key': key,
  ...(protocols.length === 0 ? {} : { 'Sec-WebSocket-Protocol': protocols.join(', ') }),
  ...(compression === false ? {} : { 'Sec-WebSocket-Extensions': createOffer(compression === 'takeover') }),
})

/** What the client has to look at in a 101: RFC 6455 §4.1, from "If the status code received". */
function accept(
  res: IncomingMessage,
  socket: Socket,
  head: Buffer,
  key: string,
  options: DialOptions,
): Dialed | DialFailure {
  const { headers } = res
  const fails = (message: string): DialFailure => badAnswer(res, message, '')
  if (res.statusCode !== 101) return fails(`Server answered ${res.statusCode} with an upgrade`)
  if (headers.upgrade?.toLowerCase() !== 'websocket') return fails('Server upgrades to something else')
  if (!hasToken(headers.connection, 'upgrade')) return fails('Missing Connection: Upgrade')
  if (headers['sec-websocket-accept'] !== digest(key)) return fails('Wrong Sec-WebSocket-Accept')
  const protocol = headers['sec-websocket-protocol']
  if (protocol !== undefined && !options.protocols.includes(protocol)) {
    return fails('Server chose a sub-protocol not offered')
  }
  const agreed = agree(headers['sec-websocket-extensions'], options)
  if (agreed === 'error') return fails('Server chose an extension not offered, or not as it was offered')
  return {
    transport: new NodeTransport(socket, head, true, null, agreed),
    protocol: protocol ?? '',
    key,
    remoteAddress: socket.remoteAddress ?? '',
  }
}

function agree(header: string | undefined, { compression }: DialOptions): Compression | null | 'error' {
  if (compression === false) return header === undefined ? null : 'error'
  return acceptResponse(header, compression === 'takeover')
}

const digest = (key: string): string =>
  createHash('sha1')
    .update(key + MAGIC)
    .digest('base64')

function redirect({ statusCode = 0, headers }: IncomingMessage): string {
  const { location } = headers
  return statusCode >= 300 && statusCode < 400 && location !== undefined
    ? `, a redirect to ${location}, which is not followed`
    : ''
}

/** Why, in the words of a server that has some; a page is none. */
function reason({ statusCode = 0, headers }: IncomingMessage, body: string): string {
  if (statusCode < 300) return ': there is no WebSocket at this path'
  const [line = ''] = body.trim().split(/[\r\n]/, 1)
  return headers['content-type']?.startsWith('text/plain') === true && line !== ''
    ? `: ${line.slice(0, MAX_REASON)}`
    : ''
}

async function readBody(res: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of res) {
      if (!Buffer.isBuffer(chunk)) break
      chunks.push(chunk)
      length += chunk.length
      if (length >= MAX_BODY) break
    }
  } catch {
    // What has come is what there is.
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_BODY)
}

const badAnswer = ({ statusCode = 0, headers }: IncomingMessage, message: string, body: string): DialFailure => ({
  cause: 'answer',
  message,
  status: statusCode,
  headers,
  body,
})

/** Node says by its code that what has come is not HTTP. */
const isGarbage = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('HPE_')

const notConnected = (error: unknown): DialFailure => ({
  cause: isGarbage(error) ? 'answer' : 'connect',
  message: reasonOf(error),
  status: 0,
  headers: {},
  body: '',
})

/** Of several addresses that were tried, the first one's. */
function reasonOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
