import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readTable, root } from './tables.ts'

const UWS = join(root, 'node_modules/uWebSockets.js/dist')

it('the table of binaries is what the package has', () => {
  const named = readTable('docs/platforms.md', 'Platform').flatMap(([platform, arch, modules = '']) =>
    modules.split(', ').map((abi) => `uws_${platform}_${arch}_${abi}.node`),
  )
  expect(named.length).toBeGreaterThan(0)
  expect(named.toSorted()).toEqual(readdirSync(join(UWS, 'bin')).toSorted())
})

it('and the package looks for them by these names', () => {
  const loader = readFileSync(join(UWS, 'uws.mjs'), 'utf8')
  expect(loader).toContain('uws_${process.platform}_${process.arch}_${process.versions.modules}.node')
})
