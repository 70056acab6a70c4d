import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { differences } from './support/differences.ts'

const root = join(import.meta.dirname, '..')
const self = ['differences.test.ts', join('support', 'differences.ts')]
const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !self.includes(name))
  .map((name) => readFileSync(join(root, 'test', name), 'utf8'))
const readme = readFileSync(join(root, 'README.md'), 'utf8').replaceAll(/ +/g, ' ')

describe('the differences between the engines', () => {
  it.each(Object.entries(differences))('%s: a test holds it, and the README tells it', (row, { node, uws }) => {
    expect(tests.filter((code) => code.includes(`'${row}'`)).length).toBeGreaterThan(0)
    expect(readme).toContain(`| ${row} | ${node} | ${uws} |`)
  })

  it('the README tells no others', () => {
    const table = readme.slice(readme.indexOf('| Where they differ'))
    const rows = table.slice(0, table.indexOf('\n\n')).split('\n').length - 2
    expect(rows).toBe(Object.keys(differences).length)
  })
})
