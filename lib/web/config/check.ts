import { existsSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import { resolve } from 'node:path'
import { inspect } from 'node:util'
import { distance } from 'fastest-levenshtein'
import { Compile } from 'typebox/schema'
import { validateHeaders } from '../../rfc9110.ts'
import { addNetwork } from '../address.ts'
import { parsePartialUrl } from '../redirect.ts'
import { parseEndpoint } from './endpoint.ts'
import type { Reads, SchemaNode } from './fields.ts'
import { NOT_SERVED } from './not-served.ts'
import { configSchema } from './schema.ts'
import { parseCertificate, parseKey } from './tls.ts'
import { parseCount, parseSize, parseTime, parseWorkers } from './units.ts'

/** Where something is in a config. */
export type Path = readonly (string | number)[]

/** One thing that is wrong. */
export interface Problem {
  readonly path: Path
  readonly rule: string
  /** What stands there, for a person; '' for nothing, or what may not be shown. */
  readonly got: string
}

/** `web.routes[0].match` */
export const toKey = (path: Path): string =>
  path.map((part, i) => (isName(part) ? (i === 0 ? part : `.${part}`) : `[${inspect(part, SHORT)}]`)).join('')

const isName = (part: string | number): boolean => typeof part === 'string' && /^[\w-]{1,60}$/.test(part)
/** On one line, whatever it is. */
const SHORT = { depth: 0, maxStringLength: 60, breakLength: Infinity }

const validator = Compile(configSchema)
export type CheckedConfig = ReturnType<typeof validator.Parse>

/** Whether a value has the shape of a config: everything but its units. */
export const isConfig = (value: unknown): value is CheckedConfig => validator.Check(value)

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The part of the schema that a part of a config has to follow. */
export function schemaAt(path: Path): SchemaNode | null {
  let node: SchemaNode | undefined = configSchema
  for (const part of path) {
    node =
      typeof part === 'number'
        ? node?.items
        : node?.properties !== undefined && Object.hasOwn(node.properties, part)
          ? node.properties[part]
          : node?.additionalProperties
  }
  return node ?? null
}

/** A value and all that is in it, each with its path. */
export function* walk(value: unknown, path: Path = []): Generator<{ path: Path; value: unknown }> {
  yield { path, value }
  if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* walk(item, [...path, i])
  else if (isRecord(value)) for (const [key, inner] of Object.entries(value)) yield* walk(inner, [...path, key])
}

/** What a reader is told beside the text. */
interface Place {
  /** The key above it: of a header its name. */
  readonly key: string
  /** Where relative paths count from. */
  readonly folder: string
}

/** Each throws what is wrong. */
const readers: Readonly<Record<Reads, (given: string | number, place: Place) => void>> = {
  size: (given) => void parseSize(given),
  time: (given) => void parseTime(given),
  count: (given) => void parseCount(given),
  endpoint: (given) => void parseEndpoint(String(given)),
  header: (given, { key }) => validateHeaders([[key.startsWith('.') ? 'Content-Type' : key, String(given)]]),
  method: (given) => {
    if (!/^[A-Z]+$/.test(String(given))) throw new Error('is not a method in capitals')
  },
  origin: (given) => {
    const text = String(given)
    if (text !== '*' && (!URL.canParse(text) || new URL(text).origin !== text)) {
      throw new Error("is not an origin: say http://host[:port], without a path, or '*'")
    }
  },
  url: (given) => void parsePartialUrl(String(given)),
  certificate: (given, { folder }) => void parseCertificate(resolve(folder, String(given))),
  module: (given, { folder }) => {
    if (!existsSync(resolve(folder, String(given)))) throw new Error('there is no such file')
  },
  network: (given) => addNetwork(new BlockList(), String(given)),
  host: (given) => {
    if (!/^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$|^[\da-f.:[\]]+$/i.test(String(given)) || /\w:\d+$/.test(String(given))) {
      throw new Error("is not a name: say example.com or '*.example.com', without scheme and port")
    }
  },
  workers: (given) => void parseWorkers(given),
  token: (given) => {
    if (String(given).trim() === '')
      throw new Error('is empty, so anybody would have it: name a secret, or leave it out')
  },
  credential: (given) => {
    if (!/^[\x20-\x7e]*$/.test(String(given)))
      throw new Error('has characters that cannot be sent in a header: say it in ASCII')
  },
  whole: (given) => {
    if (!Number.isSafeInteger(given) || Number(given) < 0) throw new Error('must be a whole number from 0 up')
  },
  prefix: (given) => {
    if (!/^(?:\/[\w.~-]+)*$/.test(String(given))) throw new Error("is not a path in front of others: say '/api', or ''")
  },
  secret: (given) => {
    if (Buffer.byteLength(String(given)) < 32) throw new Error('is too short: 32 bytes at least')
  },
  ice: (given) => {
    if (!/^(?:stuns?|turns?):[^\s@/]+$/.test(String(given))) {
      throw new Error("is not where a server is: say 'stun:host:port', or 'turn:host:port?transport=udp'")
    }
  },
  key: (given, { folder }) => void parseKey(resolve(folder, String(given))),
  address: (given) => {
    const text = String(given)
    if (isIP(text) === 0 && !/^[\w-]+(?:\.[\w-]+)*$/.test(text)) throw new Error('is not an address or a name')
  },
  path: (given) => mustBeginWithSlash('path', String(given)),
  issuePath: (given) => {
    if (String(given).trim() !== '') mustBeginWithSlash('token_issue_path', String(given).trim())
  },
  http: (given) => mustBeHttp(String(given)),
  httpOrNone: (given) => {
    if (String(given) !== '') mustBeHttp(String(given))
  },
  ws: (given) => mustBeWebSocket(String(given)),
  wsOrNone: (given) => {
    if (String(given) !== '') mustBeWebSocket(String(given))
  },
  cqAddress: (given) => {
    if (String(given).startsWith('unix:')) throw new Error('is a UNIX socket, which is not served: say host:port')
    parseEndpoint(String(given).replace(/^tcp[46]?:\/\//, ''))
  },
  place: (given) => {
    if (!/^[^/]+\/[^/]+$/.test(String(given))) throw new Error("is not 'server/channel'")
  },
}

function mustBeHttp(url: string): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new Error('is not a URL with http or https')
}

function mustBeWebSocket(url: string): void {
  if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) throw new Error('is not a URL with ws or wss')
}

/** In the words of nanobot. */
function mustBeginWithSlash(name: string, path: string): void {
  if (!path.startsWith('/')) throw new Error(`${name} must start with "/"`)
}

/** Everything that is wrong with a config, all at once and in its order. `hidden`: values that may not be shown. */
export function findProblems(value: unknown, folder: string, hidden: ReadonlySet<unknown> = new Set()): Problem[] {
  const problems = new Map<string, Problem>()
  const note = (path: Path, rule: string): void => {
    const key = toKey(path)
    const given = valueAt(value, path)
    const got = hidden.has(given) ? 'something from the environment' : show(given, schemaAt(path))
    // A rule may quote what breaks it: it stays on its line.
    if (!problems.has(key)) problems.set(key, { path, rule: rule.replaceAll(/\p{Cc}/gu, ' '), got })
  }
  const [, errors] = validator.Errors(value)
  for (const { instancePath, keyword, params } of errors) {
    const path = toPath(instancePath, value)
    if (keyword === 'type' || keyword === 'enum') note(path, expectation(schemaAt(path)))
    else if (keyword === 'minimum') note(path, `must be ≥ ${schemaAt(path)?.minimum}`)
    else if (keyword === 'maximum') note(path, `must be ≤ ${schemaAt(path)?.maximum}`)
    else if (keyword === 'required' && 'requiredProperties' in params && Array.isArray(params.requiredProperties)) {
      for (const name of params.requiredProperties) note([...path, name], 'is needed')
    }
  }
  const places = [...walk(value)]
  for (const { path, value: given } of places) {
    const reads = schemaAt(path)?.reads
    if (reads === undefined || (typeof given !== 'number' && typeof given !== 'string')) continue
    try {
      readers[reads](given, { key: String(path.at(-1)), folder })
    } catch (error) {
      note(path, error instanceof Error ? error.message : String(error))
    }
  }
  const order = new Map(places.map(({ path }, i) => [toKey(path), i]))
  const at = ({ path }: Problem): number => order.get(toKey(path)) ?? order.get(toKey(path.slice(0, -1))) ?? 0
  return [...problems.values()].toSorted((a, b) => at(a) - at(b))
}

/** Keys that nobody knows: a line each, and what may have been meant. */
export function findUnknown(value: unknown): Problem[] {
  const found: Problem[] = []
  for (const { path } of walk(value)) {
    const key = path.at(-1)
    // A key with a '_' in front is one that was put aside.
    if (typeof key !== 'string' || path.some((part) => typeof part === 'string' && part.startsWith('_'))) continue
    const parent = schemaAt(path.slice(0, -1))
    if (parent === null || parent.additionalProperties !== undefined) continue
    const known = Object.keys(parent.properties ?? {})
    if (known.includes(key)) continue
    const rule = NOT_SERVED.has(toKey(path).replaceAll(/\[\d+\]/g, '[]'))
      ? 'not served by fiberws, ignored'
      : `unknown key, ignored${suggest(key, known)}`
    found.push({ path, rule, got: '' })
  }
  return found
}

function suggest(key: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, far: distance(name.toLowerCase(), key.toLowerCase()) }))
    .filter(({ name, far }) => far <= Math.max(1, Math.floor(name.length / 3)))
    .toSorted((a, b) => a.far - b.far)[0]
  return near === undefined ? '' : ` (did you mean '${near.name}'?)`
}

/** A JSON pointer (RFC 6901) as a path; whether a number is an index, the value knows. */
function toPath(pointer: string, value: unknown): Path {
  const path: (string | number)[] = []
  let at = value
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(at) ? Number(key) : key)
    at = valueAt(at, path.slice(-1))
  }
  return path
}

export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const part of path) {
    if (Array.isArray(at) && typeof part === 'number') at = at[part]
    else at = isRecord(at) && Object.hasOwn(at, part) ? at[part] : undefined
  }
  return at
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

function expectation(node: SchemaNode | null): string {
  if (node?.enum !== undefined) return `must be one of ${node.enum.map((word) => inspect(word)).join(', ')}`
  const kinds = [node?.type ?? []].flat().map((type) => KINDS[type] ?? type)
  return `must be ${kinds.join(' or ')}`
}

/** A value as it may be shown. */
function show(value: unknown, node: SchemaNode | null): string {
  if (value === undefined) return ''
  if (node?.secret === true) return 'something that is not shown'
  // There may be a secret in it.
  if (Array.isArray(value)) return 'a list'
  return isRecord(value) ? 'an object' : inspect(value, SHORT)
}
