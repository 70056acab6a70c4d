import { expect, it } from 'vitest'
import { checkConfig } from '../../lib/web/config/load.ts'
import { findShortage } from '../../lib/web/open-files.ts'

it('a start warns of connections that there are no files for, on all listeners together', () => {
  const settings = (connections: number | string, listen = ['127.0.0.1:0']) =>
    checkConfig({ web: { limits: { connections }, listen } }, '/')
  expect(findShortage(settings(1000), 1001)).toEqual([])
  expect(findShortage(settings(1000), 1000)).toEqual([
    'limits.connections lets in 1000, and this process may have 1000 open files: lower it, or raise that (ulimit -n, LimitNOFILE)',
  ])
  expect(findShortage(settings(600, ['127.0.0.1:0', '[::1]:0']), 1000)[0]).toMatch(/^limits\.connections lets in 1200,/)
  expect(findShortage(settings('unlimited'), 1000)).toEqual([])
  // Whatever this machine allows.
  expect(findShortage(settings(1))).toEqual([])
})
