import { describe, expect, it } from 'vitest'
import { normalizePath, parseTarget } from '../../lib/web/path.ts'

describe('paths', () => {
  it.each([
    ['/', '/'],
    ['//', '/'],
    ['/a/b/../../c', '/c'],
    ['/a/b/../', '/a/'],
    ['a/b/.', 'a/b'],
    ['./a', 'a'],
    ['/.', '/'],
    ['/..', null],
    ['a/../../c', null],
    ['..a', '..a'],
    ['/a/..b/c', '/a/..b/c'],
    ['/a//b', '/a/b'],
  ])('%s is normalised to %s (R2)', (path, normal) => {
    expect(normalizePath(path)).toBe(normal)
  })

  it.each([
    ['/a?b=c?d', '/a', 'b=c?d'],
    ['/a#x?y', '/a', ''],
    ['/%61%2Fb', '/a/b', ''],
    ['/a+b', '/a+b', ''],
    ['http://host:80/x?y', '/x', 'y'],
    ['http://host', '/', ''],
    ['?q', '/', 'q'],
    ['/%E2%82%AC', '/€', ''],
  ])('%s is path %s and query %s (R1)', (raw, path, query) => {
    expect(parseTarget(raw)).toEqual({ path, query })
  })

  it.each([
    '',
    '/ ',
    '/a"b',
    '/<',
    '/%',
    '/%zz',
    '/%00',
    '/%ff',
    '/a%5cb',
    '/\u00e4',
    '/../x',
    '/a/%2e%2e/%2e%2e/b',
    '*',
  ])('%j is refused', (raw) => {
    expect(parseTarget(raw)).toBeNull()
  })
})
