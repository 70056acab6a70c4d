import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Command } from '../support/command.ts'
import { root } from './tables.ts'

it('the tests that SECURITY.md names are there', () => {
  const named = Array.from(
    readFileSync(join(root, 'SECURITY.md'), 'utf8').matchAll(/`(test\/[^`]+)`/g),
    ([, file = '']) => file,
  )
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([])
})

/** Without what depends on the machine, such as how many files may be open. */
const onlyNotices = (err: string): string => err.replaceAll(/^.*open files.*\n/gm, '')

it('a start that listens beyond loopback says so', async () => {
  const open = new Command([
    'samples/echo/web.json5',
    '--engine',
    'node',
    '--listen',
    '0.0.0.0:0',
    '--listen',
    '127.0.0.1:0',
  ])
  await open.port()
  open.child.kill('SIGTERM')
  expect(await open.exit).toBe(0)
  expect(onlyNotices(open.err)).toBe(
    "notice: '0.0.0.0' can be reached from the network, and asks no credential for '/'\n",
  )
})

it.each([
  ["{ match: '/a', token: 'x' }, { match: '/b', role: 'admin' }", ''],
  ["{ match: '/a', token: 'x' }, { match: '/b', role: 'public' }, { match: '/c' }", "'/b', '/c'"],
])('it names the routes that anybody may use: %s', async (routes, named) => {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-open-'))
  const file = join(folder, 'open.json5')
  mkdirSync(join(folder, 'site'))
  writeFileSync(file, `{ web: { engine: 'node', listen: ['0.0.0.0:0', '127.0.0.1:0'], routes: [${routes}] } }`)
  const open = new Command([file])
  await open.port()
  open.child.kill('SIGTERM')
  expect(await open.exit).toBe(0)
  const notices = open.err.split('\n').filter((line) => line.startsWith('notice'))
  expect(notices.join('\n')).toBe(
    named === '' ? '' : `notice: '0.0.0.0' can be reached from the network, and asks no credential for ${named}`,
  )
  rmSync(folder, { recursive: true })
})
