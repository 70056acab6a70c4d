import { dirname, resolve } from 'node:path'
import { findProblems, findUnknown, isConfig, type Path, type Problem, toKey, valueAt } from './check.ts'
import { substitute } from './environment.ts'
import { type Flags, override } from './overrides.ts'
import { type Settings, toSettings } from './settings.ts'
import { readSource, type Source } from './source.ts'
import { isPair } from './tls.ts'

/** Everything that is wrong with a config, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
  }
}

export interface Given {
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Of the command line. */
  readonly flags?: Flags
}

/** A config before it is checked. */
interface Draft {
  /** Where it says what. */
  readonly source: Pick<Source, 'locate'>
  readonly value: unknown
  /** What was wrong so far. */
  readonly problems: readonly Problem[]
  /** Values that may not be shown. */
  readonly hidden: ReadonlySet<unknown>
  /** What was said elsewhere, and where, by path. */
  readonly said: ReadonlyMap<Path, string>
}

/** Reads a JSON5 file; relative paths in it count from its folder. Throws ConfigError. */
export const loadConfig = (file: string, given: Given = {}): Settings =>
  toChecked(draft(file, given), dirname(resolve(file)))

/** A config that a program has made. Throws ConfigError. */
export const checkConfig = (value: unknown, folder: string): Settings =>
  toChecked({ source: { locate: () => '' }, value, problems: [], hidden: new Set(), said: new Map() }, folder)

/** The config that a file makes with environment and flags, as it would be written. Throws ConfigError. */
export const effectiveConfig = (file: string, given: Given = {}): unknown => draft(file, given).value

/** What a file says, with environment and flags in their places. */
function draft(file: string, { environment = process.env, flags = {} }: Given): Draft {
  const source = open(file)
  const { value, problems, hidden } = substitute(source.value, environment)
  return { source, problems, hidden, ...override(value, environment, flags) }
}

function open(file: string): Source {
  try {
    return readSource(file)
  } catch (error) {
    throw new ConfigError([error instanceof Error ? error.message : String(error)])
  }
}

function toChecked({ source, value, problems: before, hidden, said }: Draft, folder: string): Settings {
  const problems = [...before, ...findProblems(value, folder, hidden), ...findConflicts(value, folder)]
  /** Where something is to be mended: what the file says by its place and key, the rest by its flag or variable. */
  const place = (path: Path): string => {
    const [, elsewhere] = [...said].find(([from]) => from.every((part, i) => path[i] === part)) ?? []
    return elsewhere ?? [source.locate(path), toKey(path) || 'config'].filter((part) => part !== '').join(' ')
  }
  if (problems.length > 0 || !isConfig(value)) {
    throw new ConfigError(
      problems.map(({ path, rule, got }) => `${place(path)}: ${rule}${got === '' ? '' : `, got ${got}`}`),
    )
  }
  return deepFreeze(
    toSettings(
      value,
      folder,
      findUnknown(value).map(({ path, rule }) => `${place(path)}: ${rule}`),
    ),
  )
}

/** What is right for itself, and wrong together. */
function findConflicts(value: unknown, folder: string): Problem[] {
  const problems: Problem[] = []
  const listen = [valueAt(value, ['web', 'listen'])].flat()
  if (
    valueAt(value, ['tls']) === undefined &&
    listen.some((text) => typeof text === 'string' && /^https:/i.test(text.trim()))
  ) {
    problems.push({ path: ['web', 'listen'], rule: 'https needs tls.certificate and tls.key', got: '' })
  }
  const verifies = valueAt(value, ['tls', 'verify', 'client']) === true
  if (
    verifies &&
    valueAt(value, ['tls', 'verify', 'issuer']) !== false &&
    valueAt(value, ['tls', 'authority']) === undefined
  ) {
    problems.push({
      path: ['tls', 'verify', 'issuer'],
      rule: 'needs tls.authority: whose certificates are good',
      got: '',
    })
  }
  if (verifies && valueAt(value, ['web', 'engine']) === 'uws') {
    problems.push({
      path: ['tls', 'verify', 'client'],
      rule: "needs engine: 'node'; uws cannot ask for certificates",
      got: '',
    })
  }
  const [certificate, key] = [valueAt(value, ['tls', 'certificate']), valueAt(value, ['tls', 'key'])]
  if (typeof certificate === 'string' && typeof key === 'string') {
    if (!isPair(resolve(folder, certificate), resolve(folder, key))) {
      problems.push({ path: ['tls', 'key'], rule: 'does not belong to tls.certificate', got: key })
    }
  }
  return problems
}

/** Nobody changes a config behind the back of those who read it. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
