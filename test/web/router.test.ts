import { describe, expect, it } from 'vitest'
import { findRoute, matches, trimPath } from '../../lib/web/router.ts'

describe('routes', () => {
  it.each([
    ['/ws/', false, '/ws/a', true],
    ['/ws/', false, '/ws/', true],
    ['/ws/', false, '/ws', false],
    ['/ws/', false, '/wsx', false],
    ['/', false, '/any/thing', true],
    ['', false, '/', true],
    ['/x', false, '/x', true],
    ['/x', false, '/x/', false],
    ['/x', false, '/X', false],
    ['/x', false, '/x/y', false],
    ['/', true, '/', true],
    ['/', true, '/any', false],
    ['/ws/', true, '/ws/a', false],
    ['', true, '/', false],
  ])('websocket-run trap 61: %j (exact: %s) and %s: %s', (match, exact, path, expected) => {
    expect(matches({ match, exact }, path)).toBe(expected)
  })

  it('the first that matches wins', () => {
    const route = (match: string, n: number) => ({ match, exact: false, n })
    const routes = [route('/a', 1), route('/', 2), route('/a', 3)]
    expect(findRoute(routes, '/a')?.n).toBe(1)
    expect(findRoute(routes, '/b')?.n).toBe(2)
    expect(findRoute([], '/b')).toBeNull()
  })

  it.each([
    ['/docs/a', '/docs', '/a'],
    ['/docs/a', '/docs/', '/a'],
    ['/docs', '/docs', '/'],
    ['/docs/', '/docs/', '/'],
    ['/other/a', '/docs', '/other/a'],
    ['/a', '', '/a'],
  ])('%s without %j is %s', (path, trim, rest) => {
    expect(trimPath(path, trim)).toBe(rest)
  })
})
