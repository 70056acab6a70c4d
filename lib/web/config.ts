import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import JSON5 from 'json5'
import { Compile } from 'typebox/compile'
import type { Config } from '../../include-types/web.ts'
import type { WebSocketDefaults } from '../../include-types/websock.ts'
import type { Endpoint, ServerOptions } from '../engine/port.ts'
import { publishLimit } from '../websock/context.ts'
import { ConfigSchema, unknownKeys } from './schema.ts'
import { parseCount, parseSize, parseTime } from './units.ts'

/** A config as the rest of the program sees it: checked, defaults filled in, units converted, paths absolute. */
export interface Settings {
  readonly engine: 'auto' | 'uws' | 'node'
  readonly endpoints: readonly Endpoint[]
  /** For listeners that are https; null without one. */
  readonly tls: Endpoint['tls']
  readonly server: ServerOptions
  readonly webSockets: Readonly<WebSocketDefaults>
  /** Null: whatever is offered first. */
  readonly protocols: readonly string[] | null
  readonly routes: readonly RouteSettings[]
  /** Milliseconds for peers to say goodbye. */
  readonly drain: number
  /** What the user should hear about, though it is no error. */
  readonly warnings: readonly string[]
  /** What the config says itself about `web`, by dotted key. */
  readonly stated: ReadonlyMap<string, unknown>
}

export interface RouteSettings {
  readonly match: string
  readonly handler: 'file' | 'action'
  /** File URL-able path; null when the route names none. */
  readonly module: string | null
  readonly documents: string
  readonly index: string
  readonly partial: boolean
  readonly origins: readonly string[]
}

/** Everything that is wrong with a config, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
  }
}

const schema = Compile(ConfigSchema)

/** Reads a JSON5 file; relative paths in it count from its folder. Throws ConfigError. */
export function loadConfig(file: string): Settings {
  const path = resolve(file)
  let value: unknown
  try {
    value = JSON5.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new ConfigError([
      `${file}: ${missing ? 'no such file' : error instanceof Error ? error.message : String(error)}`,
    ])
  }
  try {
    return toSettings(value, dirname(path))
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(error.message.split('\n').map((line) => `${file}: ${line}`))
    throw error
  }
}

/** Checks a config and fills in what it leaves open. Throws ConfigError. */
export function toSettings(value: unknown, folder: string): Settings {
  if (!schema.Check(value)) throw new ConfigError(describe(value))
  const config: Config = value
  const { webSockets = {}, limits = {}, timeouts = {}, ...web } = config.web ?? {}
  const problems: string[] = []

  /** Converts one value; a problem is noted under its key and the work goes on. */
  const convert = (key: string, parse: (value: unknown) => number, given: unknown, byDefault: number): number => {
    if (given === undefined) return byDefault
    try {
      return parse(given)
    } catch (error) {
      problems.push(`web.${key}: ${error instanceof Error ? error.message : String(error)}`)
      return byDefault
    }
  }
  const size = (key: keyof typeof limits, byDefault: number): number =>
    convert(`limits.${key}`, parseSize, limits[key], byDefault)
  const time = (key: keyof typeof timeouts, byDefault: number): number =>
    convert(`timeouts.${key}`, parseTime, timeouts[key], byDefault)

  const tls = readTls(config.tls, folder, problems)
  const listen = typeof web.listen === 'string' ? [web.listen] : (web.listen ?? ['http://127.0.0.1:8080'])
  const { protocol } = webSockets
  const defaults: WebSocketDefaults = {
    maxFrame: size('maxFrame', 100 << 10),
    maxMessage: size('maxMessage', 100 << 10),
    maxBackpressure: size('maxBackpressure', 1 << 20),
    maxQueue: finite(size('maxQueue', 0)),
    timeout: time('inactivity', 300_000),
    pingPeriod: convert('webSockets.ping', parseTime, webSockets.ping, 0),
    partial: false,
    validateUTF: webSockets.validateUTF ?? true,
  }
  const settings: Settings = {
    engine: web.engine ?? 'auto',
    endpoints: listen.flatMap((text) => toEndpoint(text, tls, problems)),
    tls,
    server: {
      maxHeader: finite(size('header', 10 << 10)),
      maxConnections: noneIsInfinity(convert('limits.connections', parseCount, limits.connections, 10_000)),
      maxRequests: finite(convert('limits.requests', parseCount, limits.requests, 1000)),
      parseTimeout: finite(time('parse', 5000)),
      requestTimeout: finite(time('request', 300_000)),
      maxBody: noneIsInfinity(size('body', 100 << 10)),
      maxMessage: finite(defaults.maxMessage),
      publishLimit: publishLimit(defaults),
      inactivity: noneIsInfinity(defaults.timeout),
      compression: webSockets.compression ?? false,
    },
    webSockets: defaults,
    protocols: protocol === null ? null : protocol === undefined ? ['chat'] : [protocol].flat(),
    routes: (web.routes ?? [{}]).map((route) => ({
      match: route.match ?? '',
      handler: route.handler ?? 'file',
      module: route.module === undefined ? null : resolve(folder, route.module),
      documents: resolve(folder, route.documents ?? web.documents ?? 'site'),
      index: web.index ?? 'index.html',
      partial: route.partial ?? false,
      origins: route.origins ?? [],
    })),
    drain: time('drain', 10_000),
    warnings: unknownKeys(ConfigSchema, value).map((key) => `${key}: unknown key, ignored`),
    stated: new Map(
      Object.entries({ webSockets, limits, timeouts }).flatMap(([group, keys]) =>
        Object.entries(keys).map(([key, given]) => [`${group}.${key}`, given] as const),
      ),
    ),
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return settings
}

/** Node's spelling of "no limit" is 0, a comparison's is Infinity; a config may say either. */
const finite = (value: number): number => (value === Infinity ? 0 : value)
const noneIsInfinity = (value: number): number => (value === 0 ? Infinity : value)

/** A line for each place that is wrong; where only some words are allowed, with these words. */
function describe(value: unknown): string[] {
  const lines = new Map<string, string>()
  const words = new Map<string, string[]>()
  for (const error of schema.Errors(value)) {
    const key = error.instancePath.slice(1).replaceAll('/', '.')
    if (error.keyword === 'const') words.set(key, [...(words.get(key) ?? []), spell(error.params.allowedValue)])
    const allowed = words.get(key)?.join(', ')
    lines.set(key, `${key || 'config'}: ${allowed === undefined ? error.message : `must be one of ${allowed}`}`)
  }
  return [...lines.values()]
}

/** As it would be written in a config. */
const spell = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value))

/** `[http://|https://][host][:port]`: no host is all of them, no port 80 or 443. */
export function toEndpoint(text: string, tls: Endpoint['tls'], problems: string[]): Endpoint[] {
  const match = /^(?:(https?):\/\/)?(\[[\da-f:.]+\]|[^:/[\]]*)(?::(\d+))?\/?$/i.exec(text.trim())
  const secure = match?.[1]?.toLowerCase() === 'https'
  const port = Number(match?.[3] ?? (secure ? 443 : 80))
  if (/^\d+$/.test(text.trim())) {
    problems.push(
      `web.listen: '${text}' is only a port: say 127.0.0.1:${text.trim()}, or :${text.trim()} for all addresses`,
    )
    return []
  }
  if (match === null || port > 65535) {
    problems.push(`web.listen: '${text}' is not [http://|https://][host][:port]`)
    return []
  }
  if (secure && tls === null) {
    problems.push(`web.listen: '${text}' needs tls.certificate and tls.key`)
    return []
  }
  return [{ host: (match[2] ?? '').replace(/^\[|\]$/g, '') || '::', port, tls: secure ? tls : null }]
}

function readTls(tls: Config['tls'], folder: string, problems: string[]): Endpoint['tls'] {
  if (tls === undefined) return null
  const [certFile, keyFile] = [resolve(folder, tls.certificate), resolve(folder, tls.key)]
  const read = (key: keyof typeof tls, file: string): Buffer => {
    try {
      return readFileSync(file)
    } catch (error) {
      problems.push(`tls.${key}: ${error instanceof Error ? error.message : String(error)}`)
      return Buffer.alloc(0)
    }
  }
  const files = { certFile, keyFile, cert: read('certificate', certFile), key: read('key', keyFile) }
  // Engines notice late, or not at all.
  const attempt = <T>(what: string, parse: () => T): T | null => {
    try {
      return parse()
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`)
      return null
    }
  }
  if (problems.length > 0) return files
  const certificate = attempt(`tls.certificate ${certFile}`, () => new X509Certificate(files.cert))
  const key = attempt(`tls.key ${keyFile}`, () => createPrivateKey(files.key))
  if (certificate !== null && key !== null && !certificate.checkPrivateKey(key)) {
    problems.push(`tls.key ${keyFile} does not belong to tls.certificate ${certFile}`)
  }
  return files
}
