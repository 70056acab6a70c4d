import { isRecord, type Path } from './check.ts'
import type { SchemaNode } from './fields.ts'

/**
 * The one spelling that the rest of the program knows, where a config may have others: keys in snake_case, numbers and flags as
 * text, as nanobot reads them. What is not one of these stays as it is, and is wrong.
 */
export function respell(
  value: unknown,
  node: SchemaNode,
  path: Path = [],
): { readonly value: unknown; readonly spelled: ReadonlyMap<string, Path> } {
  const spelled = new Map<string, Path>()
  return { value: visit(value, node, path, spelled), spelled }
}

/** A path as a key of a map. */
export const pathKey = (path: Path): string => JSON.stringify(path)

function visit(value: unknown, node: SchemaNode, path: Path, spelled: Map<string, Path>): unknown {
  if (Array.isArray(value)) {
    const { items } = node
    return items === undefined ? value : value.map((item: unknown, i) => visit(item, items, [...path, i], spelled))
  }
  if (typeof value === 'string' && node.short !== undefined) return { [node.short]: value }
  const { properties } = node
  if (!isRecord(value) || properties === undefined) return value
  const lenient = node.lenient === true
  const result = new Map<string, unknown>()
  for (const [key, inner] of Object.entries(value)) {
    const name = lenient && !Object.hasOwn(properties, key) ? toCamel(key, properties) : key
    // camelCase counts where both are there.
    if (name !== key && Object.hasOwn(value, name)) continue
    if (name !== key) spelled.set(pathKey([...path, name]), [...path, key])
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined
    const read = known === undefined ? inner : visit(inner, known, [...path, name], spelled)
    result.set(name, lenient && known !== undefined ? coerce(read, known.type) : read)
  }
  return Object.fromEntries(result)
}

/** The known key that is meant; what is none stays. */
function toCamel(key: string, properties: Readonly<Record<string, SchemaNode>>): string {
  const camel = key.replaceAll(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase())
  return Object.hasOwn(properties, camel) ? camel : key
}

const FLAGS = new Map<unknown, boolean>([
  ...['true', 'yes', 'on', 'y', 't', '1', 1].map((word) => [word, true] as const),
  ...['false', 'no', 'off', 'n', 'f', '0', 0].map((word) => [word, false] as const),
])

function coerce(value: unknown, type: SchemaNode['type']): unknown {
  if (type === 'boolean') return FLAGS.get(typeof value === 'string' ? value.toLowerCase() : value) ?? value
  if ((type === 'integer' || type === 'number') && typeof value === 'string') {
    return /^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/.test(value) ? Number(value) : value
  }
  return value
}
