import { dirname, resolve } from 'node:path'
import type { Config } from '../../../include-types/web.ts'
import { findProblems, findUnknown, isConfig, type Path, type Problem, toKey } from './check.ts'
import { findConflicts, findOddities } from './conflicts.ts'
import { substitute } from './environment.ts'
import { ConfigError } from './error.ts'
import { type Flags, override } from './overrides.ts'
import { pathKey, respell } from './respell.ts'
import { configSchema } from './schema.ts'
import type { Settings } from './settings.ts'
import { readSource, type Source } from './source.ts'
import { toSettings } from './to-settings.ts'

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
  /** Where something is that is spelled in another way there, by its path as a key. */
  readonly spelled: ReadonlyMap<string, Path>
  /** What was said elsewhere, and where, by path. */
  readonly said: ReadonlyMap<Path, string>
}

/** Reads a JSON5 file; relative paths in it count from its folder. Throws ConfigError. */
export const loadConfig = (file: string, given: Given = {}): Settings =>
  toChecked(draft(file, given), dirname(resolve(file)))

/** A config that a program has made. Throws ConfigError. */
export const checkConfig = (value: unknown, folder: string): Settings =>
  toChecked(
    { source: { locate: () => '' }, problems: [], hidden: new Set(), said: new Map(), ...respell(value, configSchema) },
    folder,
  )

/** What a program names or hands over: a file, a config, or settings that were made of one. Throws ConfigError. */
export function readConfig(config: string | Config | Settings): Settings {
  if (typeof config === 'string') return loadConfig(config)
  // It may be anything.
  const known = typeof config === 'object' && config !== null && 'endpoints' in config
  return known ? config : checkConfig(config, process.cwd())
}

/** The config that a file makes with environment and flags, and values in it that may not be shown. Throws ConfigError. */
export const effectiveConfig = (file: string, given: Given = {}): Pick<Draft, 'value' | 'hidden'> => draft(file, given)

/** What a file says, with environment and flags in their places. */
function draft(file: string, { environment = process.env, flags = {} }: Given): Draft {
  const source = open(file)
  const { value, problems, hidden } = substitute(source.value, environment)
  const { said, value: overridden } = override(value, environment, flags)
  return { source, problems, hidden, said, ...respell(overridden, configSchema) }
}

function open(file: string): Source {
  try {
    return readSource(file)
  } catch (error) {
    throw new ConfigError([error instanceof Error ? error.message : String(error)])
  }
}

function toChecked({ source, value, problems: before, hidden, said, spelled }: Draft, folder: string): Settings {
  // What is not there is not wrong in yet another way.
  const known = new Set(before.map(({ path }) => toKey(path)))
  const found = [...findProblems(value, folder, hidden), ...findConflicts(value, folder)]
  const problems = [...before, ...found.filter(({ path }) => !known.has(toKey(path)))]
  /** Where something is to be mended: what the file says by its place and key, the rest by its flag or variable. */
  const place = (path: Path): string => {
    const [, elsewhere] = [...said].find(([from]) => from.every((part, i) => path[i] === part)) ?? []
    const there = asSpelled(path, spelled)
    return elsewhere ?? [source.locate(there), toKey(there) || 'config'].filter((part) => part !== '').join(' ')
  }
  if (problems.length > 0 || !isConfig(value)) {
    throw new ConfigError(
      problems.map(({ path, rule, got }) => {
        const shown = got !== '' && hidden.has(got) ? 'something from the environment' : got
        return `${place(path)}: ${rule}${shown === '' ? '' : `, got ${shown}`}`
      }),
    )
  }
  return deepFreeze(
    toSettings(
      value,
      folder,
      [...findUnknown(value), ...findOddities(value, folder)].map(({ path, rule }) => `${place(path)}: ${rule}`),
    ),
  )
}

/** A path as the file has it. */
function asSpelled(path: Path, spelled: ReadonlyMap<string, Path>): Path {
  for (let length = path.length; length > 0; length--) {
    const known = spelled.get(pathKey(path.slice(0, length)))
    if (known !== undefined) return [...known, ...path.slice(length)]
  }
  return path
}

/** Nobody changes a config behind the back of those who read it. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
