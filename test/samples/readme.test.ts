import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from './support.ts'

const samples = join(ROOT, 'samples')
const links = Array.from(
  readFileSync(join(samples, 'README.md'), 'utf8').matchAll(/\]\(([^)]+)\)/g),
  ([, to]) => to ?? '',
)

it('samples/README.md has a row for each sample, and each row a sample', () => {
  // The page of the echo; and what `npm start` keeps.
  const folders = readdirSync(samples, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !['site', 'data'].includes(entry.name),
  )
  expect(new Set(links.map((to) => to.split('/')[0]))).toEqual(new Set(folders.map(({ name }) => name)))
  expect(links.filter((to) => !existsSync(join(samples, to)))).toEqual([])
})
