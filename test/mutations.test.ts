import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mutations } from './mutate/mutations.ts'

const root = join(import.meta.dirname, '..')

describe('the list of mutations', () => {
  it('is of lines that are there, once; each has a name', () => {
    const files = new Map<string, string>()
    const read = (file: string): string => {
      const code = files.get(file) ?? readFileSync(join(root, file), 'utf8')
      files.set(file, code)
      return code
    }
    const stale = mutations.filter(({ file, from }) => read(file).split(from).length !== 2)
    expect(stale.map(({ trap, file }) => `${trap} ${file}`)).toEqual([])
    const names = mutations.map(({ trap, file }) => `${trap} ${file}`)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
    for (const { test } of mutations) read(test)
  })
})
