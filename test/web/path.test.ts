import { describe, expect, it } from 'vitest'
import { normalizePath, parseTarget } from '../../lib/web/path.ts'
import { findRoute, matches } from '../../lib/web/router.ts'

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

describe('routes', () => {
  it('websocket-run trap 61: /ws/ is what is below, / everything, /x itself', () => {
    expect(matches('/ws/', '/ws/a')).toBe(true)
    expect(matches('/ws/', '/ws')).toBe(false)
    expect(matches('/', '/any/thing')).toBe(true)
    expect(matches('', '/')).toBe(true)
    expect(matches('/x', '/x')).toBe(true)
    expect(matches('/x', '/x/')).toBe(false)
    expect(matches('/x', '/X')).toBe(false)
  })

  it('the first that matches wins', () => {
    const routes = [
      { match: '/a', n: 1 },
      { match: '/', n: 2 },
      { match: '/a', n: 3 },
    ]
    expect(findRoute(routes, '/a')?.n).toBe(1)
    expect(findRoute(routes, '/b')?.n).toBe(2)
    expect(findRoute([], '/b')).toBeNull()
  })
})
