import { resolve } from 'node:path'
import { type Path, valueAt } from './check.ts'
import type { SchemaNode } from './fields.ts'
import { gateway } from './gateway.ts'

/** What a config file says can be said elsewhere, too: environment over file, flags over both. */
interface Override {
  readonly path: Path
  readonly variable: string
  /** Null: there is none. */
  readonly flag: string | null
  /** Of the variable's text, or of what the flag was given. */
  readonly read: (given: string | readonly string[]) => unknown
  /** Only where the config has what it belongs to. */
  readonly inside?: true
}

export const OVERRIDES: readonly Override[] = [
  {
    path: ['web', 'listen'],
    variable: 'FIBERWS_LISTEN',
    flag: 'listen',
    read: (given) => (typeof given === 'string' ? given.split(',').map((text) => text.trim()) : given),
  },
  { path: ['web', 'engine'], variable: 'FIBERWS_ENGINE', flag: 'engine', read: (given) => [given].flat().at(-1) },
  { path: ['web', 'workers'], variable: 'FIBERWS_WORKERS', flag: 'workers', read: (given) => [given].flat().at(-1) },
  { path: ['dataDir'], variable: 'FIBERWS_DATA', flag: 'data', read: (given) => resolve([given].flat().at(-1) ?? '') },
  {
    path: ['channels', 'websocket', 'port'],
    variable: 'FIBERWS_CHANNEL_PORT',
    flag: null,
    read: (given) => fromText(String(given), 'number'),
    inside: true,
  },
  {
    path: ['network', 'websocketServers', 0, 'port'],
    variable: 'FIBERWS_ONEBOT_PORT',
    flag: null,
    read: (given) => fromText(String(given), 'number'),
    inside: true,
  },
  ...Object.entries<SchemaNode>(gateway.properties)
    // What has parts of its own is not said in a word.
    .filter(([, { items }]) => items?.properties === undefined)
    .map(([key, { type }]): Override => ({
      path: ['gateway', key],
      variable: `FIBERWS_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
      flag: null,
      read: (given) => fromText(String(given), type),
    })),
]

/** A text of the environment as the kind of value that its key has. */
function fromText(text: string, type: unknown): unknown {
  if (type === 'number' && /^\d+$/.test(text)) return Number(text)
  if (type === 'boolean' && /^(?:true|false)$/.test(text)) return text === 'true'
  return type === 'array' ? text.split(',').map((part) => part.trim()) : text
}

/** Flags of the command, by their names. */
export type Flags = Readonly<Record<string, string | readonly string[] | boolean | undefined>>

/** A config with what environment and flags say in its place, and where that was said, by path. */
export function override(
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
  flags: Flags,
): { readonly value: unknown; readonly said: ReadonlyMap<Path, string> } {
  const said = new Map<Path, string>()
  let result = value
  for (const { path, variable, flag, read, inside } of OVERRIDES) {
    const [fromFlag, fromVariable] = [flag === null ? undefined : flags[flag], environment[variable]]
    const given = fromFlag ?? fromVariable
    if (given === undefined || typeof given === 'boolean') continue
    if (inside === true && valueAt(result, path.slice(0, -1)) === undefined) continue
    result = withAt(result, path, read(given))
    said.set(path, fromFlag === undefined ? variable : `--${flag}`)
  }
  return { value: result, said }
}

/** A copy of an object with something else at a path; what is not an object stays as it is, and wrong. */
function withAt(value: unknown, [key, ...rest]: Path, inner: unknown): unknown {
  if (key === undefined) return inner
  if (value === undefined) return { [key]: withAt(undefined, rest, inner) }
  if (Array.isArray(value) && typeof key === 'number') {
    return value.map((one: unknown, i) => (i === key ? withAt(one, rest, inner) : one))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const old: unknown = Reflect.get(value, key)
  return { ...value, [key]: withAt(old, rest, inner) }
}
