import { readFileSync } from 'node:fs'
import { parse, type ValueNode } from '@humanwhocodes/momoa'
import JSON5 from 'json5'
import type { Path } from './check.ts'

/** The text of a config and what is in it. */
export interface Source {
  readonly value: unknown
  /** `file:line:column` of a part of it, or of the nearest part around it that is there. */
  locate(path: Path): string
}

/** What the system says about a file, for its user. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by this user',
}

/** Reads a JSON5 file. Throws an Error with a text for its user: `file:line:column: …`. */
export function readSource(file: string): Source {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    throw new Error(`${file}: ${REASONS[String(code)] ?? String(error)}`, { cause: error })
  }
  return parseSource(text, file)
}

export function parseSource(text: string, file: string): Source {
  let value: unknown
  try {
    value = JSON5.parse(text)
  } catch (error) {
    const { lineNumber = 1, columnNumber = 1, message } = toSyntaxError(error)
    const reason = message.replace(/^JSON5: /, '').replace(/ at \d+:\d+$/, '')
    throw new Error(`${file}:${lineNumber}:${columnNumber}: ${reason}`, { cause: error })
  }
  let root: ValueNode | null | undefined
  return {
    value,
    locate: (path) => {
      // Only what is wrong is looked for.
      root ??= toTree(text)
      const start = root === null ? null : find(root, path)
      return start === null ? file : `${file}:${start.line}:${start.column}`
    },
  }
}

function toSyntaxError(error: unknown): { message: string; lineNumber?: number; columnNumber?: number } {
  return error instanceof Error ? error : { message: String(error) }
}

/** Null where JSON5 takes what momoa does not: JSON5 decides what is valid. */
function toTree(text: string): ValueNode | null {
  try {
    return parse(text, { mode: 'json5' }).body
  } catch {
    return null
  }
}

function find(root: ValueNode, path: Path): { readonly line: number; readonly column: number } {
  let node = root
  let { start } = root.loc
  for (const part of path) {
    if (node.type === 'Object') {
      // The last of equal keys counts.
      const member = node.members.findLast(({ name }) => (name.type === 'String' ? name.value : name.name) === part)
      if (member === undefined) break
      node = member.value
      start = member.loc.start
    } else if (node.type === 'Array' && typeof part === 'number') {
      const element = node.elements[part]
      if (element === undefined) break
      node = element.value
      start = element.loc.start
    } else break
  }
  return start
}
