import type { SchemaNode } from './fields.ts'
import { configSchema } from './schema.ts'

/** The schema for editors: without the words that only we understand. */
export const toJsonSchema = (): string =>
  `${JSON.stringify(configSchema, (key, value: unknown) => (OWN.has(key) ? undefined : withShort(value)), 2)}\n`

const OWN: ReadonlySet<string> = new Set(['reads', 'secret', 'lenient', 'short'])

/** What may also be said in a word. */
function withShort(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('short' in value)) return value
  const node = Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'short'))
  return { anyOf: [node, { type: 'string' }] }
}

/** The reference of the config, in Markdown: a table for each object. */
export function* toReference(): Generator<string> {
  yield* toSection('', configSchema)
}

function* toSection(path: string, node: SchemaNode): Generator<string> {
  const properties = Object.entries(node.properties ?? {})
  if (properties.length === 0) return
  if (path !== '') {
    yield ''
    yield `## \`${path}\``
    yield ''
  }
  if (node.description !== undefined) {
    yield node.description
    yield ''
  }
  yield '| Key | Value | Default | |'
  yield '| --- | --- | --- | --- |'
  for (const [key, inner] of properties) {
    const required = node.required?.includes(key) === true ? 'needed' : toDefault(inner)
    yield `| \`${key}\` | ${toKind(inner)} | ${required} | ${(inner.description ?? '').replaceAll('|', '\\|')} |`
  }
  for (const [key, inner] of properties) {
    const name = path === '' ? key : `${path}.${key}`
    yield* toSection(name, inner)
    if (inner.items !== undefined) yield* toSection(`${name}[]`, inner.items)
  }
}

const toDefault = ({ default: value }: SchemaNode): string => (value === undefined ? '' : `\`${spell(value)}\``)
const spell = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value))

function toKind(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((word) => `\`${spell(word)}\``).join(', ')
  if (node.reads === 'size' || node.reads === 'time' || node.reads === 'count') return node.reads
  const kinds = [node.type ?? []].flat()
  const inner = node.items?.type === 'string' ? 'list of texts' : 'list'
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    array: inner,
    object: node.additionalProperties === undefined ? 'object' : 'object of texts',
    boolean: '`true`, `false`',
    null: '`null`',
  }
  return kinds.map((kind) => names[kind] ?? kind).join(' or ')
}
