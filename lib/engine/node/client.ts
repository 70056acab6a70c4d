import { createHash, randomBytes } from 'node:crypto'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { hasToken, MAGIC, VERSION } from '../../rfc6455.ts'
import type { ClientPort, Dialed, DialFailure, DialOptions } from '../port.ts'
import { acceptResponse, type Compression, createOffer } from './extensions.ts'
import { proxyAgent } from './proxy.ts'
import { NodeTransport } from './transport.ts'

/** Bytes that are kept of an answer that is no upgrade. */
const MAX_BODY = 4096

/** The opening handshake of RFC 6455 §4.1 on node:http(s), and our own frames behind it. */
export const nodeClient: ClientPort = {
  async dial(options) {
    try {
      return await shake(options, options.agent ?? (await proxyAgent(options.url)))
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
      ...(secure ? { minVersion: 'TLSv1.2', ...options.tls } : {}),
      headers: { ...toFields(options), ...handshakeFields(options, key) },
      // One that keeps connections could hand out one that has gone.
      agent: agent ?? false,
      signal,
    })
    req.on('error', (error) => resolve(notConnected(error)))
    req.once('upgrade', (res: IncomingMessage, socket: Socket, head: Buffer) => {
      const dialed = accept(res, socket, head, key, options)
      if ('cause' in dialed) socket.destroy()
      resolve(dialed)
    })
    req.once('response', (res) => void answered(res).then(resolve))
    // To node a 101 without Upgrade is not the answer yet.
    req.on('information', (info) => {
      if (info.statusCode !== 101) return
      resolve({
        cause: 'answer',
        message: 'Server answered 101 without an upgrade',
        status: 101,
        headers: info.headers,
        body: '',
      })
      req.destroy()
    })
    req.end()
  })
}

/** The server has answered like a web server. */
async function answered(res: IncomingMessage): Promise<DialFailure> {
  const body = await readBody(res)
  res.destroy()
  return badAnswer(res, `Server answered ${res.statusCode} ${res.statusMessage}${redirect(res)}`, body)
}

/** Header fields by name, those that come more than once as lists. */
function toFields({ headers }: DialOptions): Record<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const values = fields.get(name) ?? []
    values.push(value)
    fields.set(name, values)
  }
  return Object.fromEntries(fields)
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
  const protocol = headers['sec-websocket-protocol'] ?? ''
  if (protocol !== '' && !options.protocols.includes(protocol)) return fails('Server chose a sub-protocol not offered')
  const agreed = agree(headers['sec-websocket-extensions'], options)
  if (agreed === 'error') return fails('Server chose an extension not offered, or not as it was offered')
  return {
    transport: new NodeTransport(socket, head, true, null, agreed),
    protocol,
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

const notConnected = (error: unknown): DialFailure => ({
  cause: 'connect',
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
