import { describe, expect, it } from 'vitest'
import { findRedirect, parsePartialUrl, type RequestUrl } from '../../lib/web/redirect.ts'

const url = (changes: Partial<RequestUrl> = {}): RequestUrl => ({
  scheme: 'http',
  host: 'example.org',
  asked: changes.host ?? 'example.org',
  port: 8080,
  path: '/a/b',
  query: 'q=1',
  ...changes,
})

/** Where a redirect of these leads; null: nowhere. */
const go = (from: string | null, to: string, changes: Partial<RequestUrl> = {}): string | null =>
  findRedirect(
    [{ from: from === null ? null : parsePartialUrl(from), to: parsePartialUrl(to), status: 301 }],
    url(changes),
  )?.location ?? null

describe('a part of a URL', () => {
  it.each([
    ['https', { scheme: 'https' }],
    ['HTTPS://', { scheme: 'https' }],
    [
      'http://Example.org:81/p?q#h',
      { scheme: 'http', host: 'example.org', port: 81, path: '/p', query: 'q', hash: 'h' },
    ],
    ['https://:443', { scheme: 'https', port: 443 }],
    ['/p', { path: '/p' }],
    [':81', { port: 81 }],
    ['example.org', { host: 'example.org' }],
    ['[::1]:81', { host: '[::1]', port: 81 }],
    ['?q=1', { query: 'q=1' }],
    ['#h', { hash: 'h' }],
    ['wss://x/y', { scheme: 'wss', host: 'x', path: '/y' }],
  ])('%s', (text, parts) => {
    const nothing = { scheme: null, host: null, port: null, path: null, query: null, hash: null }
    expect(parsePartialUrl(text)).toEqual({ ...nothing, ...parts })
  })

  it.each(['', 'ftp://x', 'http://x:0', 'http://x:65536', 'http://x:a', 'a:b:c', '[::1', 'x]'])(
    '%j is none',
    (text) => {
      expect(() => parsePartialUrl(text)).toThrow('is not [scheme://]')
    },
  )
})

describe('redirects', () => {
  it('each part that `from` names must be that of the request', () => {
    expect(go('/a/b', '/c')).toBe('http://example.org:8080/c')
    for (const from of [
      'http',
      'ws',
      'example.org',
      'EXAMPLE.org',
      ':8080',
      '?q=1',
      'http://example.org:8080/a/b?q=1',
    ]) {
      expect(go(from, '/c')).toBe('http://example.org:8080/c')
    }
    for (const from of ['https', 'wss', 'other.org', ':81', '?q=2', '/a', '/a/b/', '/A/b', 'https://example.org/a/b']) {
      expect(go(from, '/c')).toBeNull()
    }
  })

  it('without `from` all requests are', () => {
    expect(go(null, 'https://:443')).toBe('https://example.org/a/b?q=1')
    expect(go(null, '//other')).toBe('http://example.org:8080//other')
  })

  it('the root is never named by its path', () => {
    expect(go('/', '/c', { path: '/' })).toBeNull()
    expect(go('http', '/c', { path: '/' })).toBe('http://example.org:8080/c')
  })

  it('what `to` leaves out is that of the request, path and query only together', () => {
    expect(go('/a/b', 'https')).toBe('https://example.org/a/b?q=1')
    expect(go('/a/b', 'https://:8443')).toBe('https://example.org:8443/a/b?q=1')
    expect(go('/a/b', 'other.org')).toBe('http://other.org/a/b?q=1')
    expect(go('/a/b', 'other.org:81/')).toBe('http://other.org:81/')
    expect(go('/a/b', '/c?x=2#top')).toBe('http://example.org:8080/c?x=2#top')
    expect(go('/a/b', '?x=2')).toBe('http://example.org:8080/a/b?x=2')
    expect(go('/a/b', '/c', { port: 80 })).toBe('http://example.org/c')
    expect(go('/a/b', '/c', { scheme: 'https', port: 443 })).toBe('https://example.org/c')
  })

  it('one that leads where the request is already is passed over', () => {
    expect(go(null, 'https://:443', { scheme: 'https', port: 443 })).toBeNull()
    expect(go(null, 'http')).toBeNull()
    const both = [
      { from: null, to: parsePartialUrl('http'), status: 301 },
      { from: null, to: parsePartialUrl('/next'), status: 307 },
    ]
    expect(findRedirect(both, url())).toEqual({ status: 307, location: 'http://example.org:8080/next' })
  })

  it('what a path may not hold as it is goes in percent signs', () => {
    expect(go('http', 'https', { path: '/ü %?#', query: '' })).toBe('https://example.org/%C3%BC%20%25%3F%23')
    expect(go('http', '/ü%20x y')).toBe('http://example.org:8080/%C3%BC%20x%20y')
  })
})

it('a host that goes by another name: what the request calls it counts, and its own name, which it is sent to', () => {
  const named = { host: 'www.example.org', asked: 'example.org' }
  expect(go('http://example.org', 'http://www.example.org', named)).toBe('http://www.example.org/a/b?q=1')
  expect(go('http://www.example.org/a/b', 'https://', named)).toBe('https://www.example.org/a/b?q=1')
  expect(go('http://other.org', 'https://', named)).toBeNull()
  // It is there already.
  expect(go(null, 'http://www.example.org:8080', { host: 'www.example.org', asked: 'www.example.org' })).toBeNull()
  expect(go(null, 'http://:8080', named)).toBe('http://www.example.org:8080/a/b?q=1')
})
