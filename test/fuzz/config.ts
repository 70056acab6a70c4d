import { tmpdir } from 'node:os'
import { ConfigError } from '../../lib/web/config/error.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { findProblems, findUnknown } from '../../lib/web/config/check.ts'
import { substitute } from '../../lib/web/config/environment.ts'
import { printConfig } from '../../lib/web/config/print.ts'
import { parseSource, type Source } from '../../lib/web/config/source.ts'
import type { Random } from './random.ts'
import { mutate } from './sequences.ts'
import { must, type Outcome, type Target } from './target.ts'

/** Keys and values that configs have, and some that they should not. */
const KEYS = [
  'web',
  'tls',
  'listen',
  'engine',
  'routes',
  'match',
  'handler',
  'limits',
  'timeouts',
  'webSockets',
  'headers',
  'mime',
  'redirect',
  'from',
  'to',
  'status',
  'methods',
  'origins',
  'token',
  'cache',
  'maxAge',
  'ping',
  'protocol',
  'body',
  'maxMessage',
  'connections',
  'parse',
  'verify',
  'client',
  'certificate',
  'key',
  '__proto__',
  'constructor',
  '_x',
  '',
  "'a b'",
] as const
const VALUES = [
  'null',
  'true',
  'false',
  '0',
  '-1',
  '0x10',
  '.5',
  '1e400',
  'NaN',
  'Infinity',
  "''",
  "'5mins'",
  "'5m'",
  "'10K'",
  "'never'",
  "'http://127.0.0.1:0'",
  "'https://x'",
  "'file'",
  "'action'",
  "'chat'",
  "'GET'",
  "'/'",
  "'*'",
  "'${HOME}'",
  "'${NOPE}'",
  "'a\\nb'",
  "'\\u0000'",
  "'x'",
  '[]',
  '{}',
  '[[]]',
  "'takeover'",
  '301',
  "'//'",
  "'\\ud800'",
] as const

function write(random: Random, depth: number): string {
  if (depth === 0 || random.chance(0.3)) return random.pick(VALUES)
  const length = random.below(5)
  if (random.chance(0.3)) return `[${Array.from({ length }, () => write(random, depth - 1)).join(', ')}]`
  const members = Array.from({ length }, () => `${random.pick(KEYS) || "''"}: ${write(random, depth - 1)}`)
  return `{ ${members.join(random.chance(0.9) ? ', ' : '\n// note\n, ')} }`
}

/** A config as most are: the right keys at the right places, with a value here and there that is not. */
function sensible(random: Random): string {
  const value = (good: string): string => (random.chance(0.04) ? random.pick(VALUES) : good)
  return `{
  web: {
    listen: ${value("['http://127.0.0.1:0', ':1']")}, engine: ${value("'node'")},
    limits: { body: ${value("'10K'")}, connections: ${value('5')}, maxMessage: ${value("'1MB'")} },
    timeouts: { parse: ${value("'5secs'")}, inactivity: ${value("'never'")} },
    webSockets: { ping: ${value("'1min'")}, protocol: ${value('null')}, compression: ${value("'takeover'")} },
    headers: { 'X-A': ${value("'b'")} }, redirect: [{ from: ${value("'/a'")}, to: ${value("'/b'")} }],
    routes: [{ match: ${value("'/x'")}, handler: ${value("'file'")}, methods: ${value("['GET']")}, token: ${value("'t'")},
      cache: { maxAge: ${value("'1hour'")} }, origins: ${value("['*']")} }, ${value('{}')}],
  },
}`
}

/** A config is taken, or refused with lines that say why; nothing else, whatever its text is. */
function tryConfig(text: string): boolean {
  let source: Source
  try {
    source = parseSource(text, 'fuzz')
  } catch (error) {
    must(error instanceof Error && /^fuzz:\d+:\d+: ./.test(error.message), () => `refused with ${String(error)}`)
    return false
  }
  const { value, problems } = substitute(source.value, { HOME: '/home' })
  for (const { path } of [...problems, ...findProblems(value, tmpdir()), ...findUnknown(value)]) {
    must(/^fuzz(:\d+:\d+)?$/.test(source.locate(path)), 'a problem without a place')
  }
  try {
    checkConfig(value, tmpdir())
    printConfig(value, new Set())
    return true
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    must(
      error.message.split('\n').every((line) => /^\S+.*: ./.test(line)),
      () => `refused with ${error.message}`,
    )
    return false
  }
}

export const config: Target = {
  name: 'config',
  full: 1_000_000,
  quick: 1000,
  lanes: 1,
  minReached: 0.3,
  maxGrowth: 5e6,
  start: () =>
    Promise.resolve({
      make: (random: Random) => {
        const text = Buffer.from(random.chance(0.8) ? sensible(random) : write(random, 4))
        return random.chance(0.3) ? mutate(random, text) : text
      },
      attempt: (input: Buffer): Outcome => ({ count: 1, reached: tryConfig(input.toString()) }),
      settle: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      notes: () => '',
    }),
}
