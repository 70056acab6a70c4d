import { existsSync, readFileSync } from 'node:fs'
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
  expect(open.err.match(/^notice: '0\.0\.0\.0' can be reached from the network/gm)?.length).toBe(1)
  expect(open.err).not.toContain('127.0.0.1')
})
