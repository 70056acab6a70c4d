import type { Random } from '../random.ts'
import { mutate } from '../sequences.ts'
import { must } from '../target.ts'
import { CALLERS, KINDS } from './cast.ts'
import type { RouteCall } from './routes.ts'

/** Requests to the API: right at first, then not. Names of things, `$channel$`, stand for ids that the cast has. */

type Choice<T> = readonly [T, ...T[]]

export interface Input {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Bytes, each a character. */
  readonly body: string | null
  /** One of CALLERS, 'nobody', or the number of a bad credential. */
  readonly as: string
}

const BAD_IDS: Choice<string> = [
  '$unknown$',
  '$unknown$',
  'x',
  '',
  '1',
  '%00',
  '%2e%2e',
  '..',
  '@me',
  '__proto__',
  'constructor',
  '%',
  '%zz',
  '%ff',
  "'%20OR%201=1--",
  '$channel$x',
  'x'.repeat(3000),
  '01890000-0000-7000-8000-00000000000g',
]
const QUERIES: Choice<string> = [
  'limit=5',
  'limit=0',
  'limit=-1',
  'limit=1000000',
  'limit=1e3',
  'limit=x',
  'limit=',
  'limit=99999999999999999999999999',
  'limit=5&limit=6',
  'before=$message$',
  'after=$message$',
  'before=$foreignMessage$',
  'after=$hiddenMessage$',
  'after=$directMessage$',
  'after=$member$',
  'before=x',
  'before=',
  'before=$message$&after=$message$',
  'after=$unknown$&limit=3',
  'token=x',
  'a=%zz&%',
  '__proto__=1&constructor=2',
  '?',
  'after=%00',
]
const HEADERS: Choice<Readonly<Record<string, string>>> = [
  { 'Content-Type': 'text/plain' },
  { 'Content-Type': '' },
  { 'Content-Type': 'application/json; charset=latin1' },
  { 'Content-Type': 'application/x-www-form-urlencoded' },
  { 'Content-Type': 'multipart/form-data; boundary=x' },
  { 'Idempotency-Key': 'a key' },
  { 'Idempotency-Key': 'key' },
  { 'Idempotency-Key': 'other' },
  { 'Idempotency-Key': '' },
  { 'Idempotency-Key': 'x'.repeat(65) },
  { 'Idempotency-Key': '\u00e9' },
  { Origin: 'https://evil.test' },
  { Accept: 'text/html' },
  { 'X-Forwarded-For': "1.2.3.4, '--" },
  { Cookie: 'token=x' },
  { 'If-None-Match': '*' },
  { 'X-HTTP-Method-Override': 'DELETE' },
  { 'Accept-Encoding': 'br, gzip' },
  { 'X-Long': 'x'.repeat(6000) },
]
const METHODS: Choice<string> = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND']
const VALUES: Choice<string> = [
  'null',
  'true',
  '0',
  '-1',
  '1e400',
  '1.5',
  '99999999999999999999',
  '""',
  '" "',
  '"x"',
  '"\\u0000"',
  '"\\ud800"',
  '"a\\udc00b"',
  '[]',
  '{}',
  '["x"]',
  '{"toString":"x"}',
  '"$unknown$"',
  '"$message$"',
  '"$hiddenMessage$"',
  '"$foreignMessage$"',
  '"$disabled$"',
  `"${'x'.repeat(100)}"`,
  `"${'x'.repeat(4001)}"`,
  `"${'🎉'.repeat(128)}"`,
  `"${'🎉'.repeat(2100)}"`,
  '"@everyone @owner @@ @\u202e"',
  '"javascript:alert(1)"',
  '"\'; DROP TABLE users; --"',
]
const WHOLE: Choice<string> = [
  '',
  'null',
  '[]',
  '5',
  '"x"',
  '{',
  '\u00ff\u00fe',
  '\u00ef\u00bb\u00bf{}',
  '[['.repeat(5000),
  `${'{"content":'.repeat(3000)}1${'}'.repeat(3000)}`,
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  'content=x',
]

const BY_PARAMETER: Readonly<Record<string, Choice<string>>> = {
  channel_id: KINDS.channels,
  message_id: KINDS.messages,
  user_id: KINDS.users,
  role_id: KINDS.roles,
  override_id: KINDS.overrides,
  invite_id: KINDS.invites,
  emoji_id: KINDS.emojis,
  request_id: KINDS.requests,
  emoji: KINDS.reactions,
  code: KINDS.codes,
}

/** What stands for a part of a path that may be anything. */
function kindOf(pattern: string, name: string): Choice<string> {
  const first = Object.entries<Choice<string>>(KINDS).find(([kind]) => name === 'id' && pattern.startsWith(`/${kind}/`))
  return BY_PARAMETER[name] ?? first?.[1] ?? ['unknown']
}

/** A call that should go well. */
export function toInput({ spec, body, ids, as }: RouteCall): Input {
  const [method = '', pattern = ''] = spec.split(' ')
  const path = pattern.replaceAll(/:(\w+)/g, (_all, name: string) => `$${ids[name] ?? kindOf(pattern, name)[0]}$`)
  return {
    method,
    path: path.replace('$unknown$', pattern.includes(':emoji') ? '%E2%9A%93' : '$unknown$'),
    headers: body === null ? {} : { 'Content-Type': 'application/json' },
    body: body === null ? null : toBytes(JSON.stringify(body)),
    as,
  }
}

const toBytes = (text: string): string => Buffer.from(text).toString('latin1')

function otherIds(random: Random, { spec }: RouteCall, path: string): string {
  const [, pattern = ''] = spec.split(' ')
  const names = [...pattern.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  let at = 0
  return path.replaceAll(/\$(\w+)\$/g, (all) => {
    const kind = kindOf(pattern, names[at++] ?? '')
    const dice = random.below(100)
    if (dice < 60) return all
    if (dice < 85) return `$${random.pick(kind)}$`
    // Ids may come in upper case.
    return dice < 90 ? all.toUpperCase() : random.pick(BAD_IDS)
  })
}

function otherBody(random: Random, body: Readonly<Record<string, unknown>>): string {
  const dice = random.below(100)
  if (dice < 10) return random.pick(WHOLE)
  const members = Object.entries(body).map(([key, value]) => {
    const text = random.chance(0.35) ? random.pick(VALUES) : JSON.stringify(value)
    return random.chance(0.1) ? '' : `${JSON.stringify(key)}:${text}`
  })
  if (random.chance(0.2))
    members.push(`"${random.pick(['__proto__', 'constructor', 'id', 'author_id'])}":${random.pick(VALUES)}`)
  const text = `{${members.filter((member) => member !== '').join(',')}}`
  const bytes = Buffer.from(random.chance(0.01) ? `${text}${' '.repeat(70_000)}` : text)
  return (dice < 25 ? mutate(random, bytes) : bytes).toString('latin1')
}

function otherPath(random: Random, path: string): string {
  if (random.chance(0.5)) return mutate(random, Buffer.from(path)).toString('latin1')
  return random.pick([
    `${path}/`,
    `/${path}`,
    `${path}//x`,
    `${path}/..`,
    path.toUpperCase(),
    `${path};x`,
    `${path}.json`,
  ])
}

/** Who: mostly those who may. */
function caller(random: Random, as: string): string {
  const dice = random.below(100)
  if (dice < 50) return as
  if (dice < 88) return random.pick(CALLERS)
  return dice < 92 ? 'nobody' : String(random.below(100))
}

export function makeInput(random: Random, routes: readonly RouteCall[]): Buffer {
  const usual = routes.filter(({ dear }) => !dear || random.chance(0.03))
  const route = usual[random.below(usual.length)]
  must(route !== undefined, 'there are no routes')
  const valid = toInput(route)
  const path = random.chance(0.6) ? valid.path : otherIds(random, route, valid.path)
  const query = random.chance(valid.method === 'GET' ? 0.4 : 0.05) ? `?${random.pick(QUERIES)}` : ''
  const body = valid.body !== null && random.chance(0.35) ? otherBody(random, route.body ?? {}) : valid.body
  const input: Input = {
    method: random.chance(0.04) ? random.pick(METHODS) : valid.method,
    path: `${random.chance(0.04) ? otherPath(random, path) : path}${query}`,
    headers: random.chance(0.15) ? { ...valid.headers, ...random.pick(HEADERS) } : valid.headers,
    body,
    as: caller(random, route.as),
  }
  return Buffer.from(JSON.stringify(input))
}

const isText = (value: unknown): value is string => typeof value === 'string'

export function isInput(value: unknown): value is Input {
  if (typeof value !== 'object' || value === null) return false
  const of = (name: string): unknown => Reflect.get(value, name)
  const headers = of('headers')
  return (
    [of('method'), of('path'), of('as')].every(isText) &&
    (of('body') === null || isText(of('body'))) &&
    typeof headers === 'object' &&
    headers !== null &&
    Object.values(headers).every(isText)
  )
}
