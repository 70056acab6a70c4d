import { describe, expect, it } from 'vitest'
import { isKnown, mayBePart } from '../../../lib/web/files/conditional.ts'
import { accepts } from '../../../lib/web/files/encoding.ts'
import { toMediaType } from '../../../lib/web/files/media.ts'
import { parseRange } from '../../../lib/web/files/range.ts'

describe('ranges', () => {
  it.each([
    ['bytes=0-49', [{ start: 0, end: 49 }]],
    ['bytes=50-', [{ start: 50, end: 99 }]],
    ['bytes=-10', [{ start: 90, end: 99 }]],
    ['bytes=-1000', [{ start: 0, end: 99 }]],
    ['bytes=90-1000', [{ start: 90, end: 99 }]],
    ['bytes=99-99', [{ start: 99, end: 99 }]],
    ['BYTES = 0-1', null],
    ['Bytes=0-1', [{ start: 0, end: 1 }]],
    [
      'bytes=0-1, 5-6 ,',
      [
        { start: 0, end: 1 },
        { start: 5, end: 6 },
      ],
    ],
    ['bytes=200-', []],
    ['bytes=200-, 0-0', [{ start: 0, end: 0 }]],
    ['bytes=-0', []],
    ['bytes=a-b', null],
    ['bytes=5-4', null],
    ['bytes=-', null],
    ['bytes=', null],
    ['bytes=1', null],
    ['bytes=0-1,x', null],
    ['items=0-1', null],
    ['', null],
    [undefined, null],
    [`bytes=${'0-0,'.repeat(17)}`, null],
  ])('websocket-run trap 66: %j of 100', (header, expected) => {
    expect(parseRange(header, 100)).toEqual(expected)
  })

  it('of nothing there is none', () => {
    expect(parseRange('bytes=0-', 0)).toEqual([])
    expect(parseRange('bytes=-1', 0)).toEqual([])
  })
})

describe('conditions', () => {
  const file = { etag: '"a-b-c"', modified: Date.UTC(2026, 0, 2, 3, 4, 5, 678) }
  const date = (seconds: number): string => new Date(file.modified + seconds * 1000).toUTCString()

  it.each([
    ['"a-b-c"', true],
    ['W/"a-b-c"', true],
    ['"x", "a-b-c"', true],
    ['*', true],
    ['"x"', false],
    ['a-b-c', false],
    ['', false],
  ])('websocket-run trap 65: If-None-Match %s: %s', (header, known) => {
    expect(isKnown({ 'if-none-match': header }, file)).toBe(known)
  })

  it('dates have seconds; a tag is stronger', () => {
    expect(isKnown({ 'if-modified-since': date(0) }, file)).toBe(true)
    expect(isKnown({ 'if-modified-since': date(1) }, file)).toBe(true)
    expect(isKnown({ 'if-modified-since': date(-1) }, file)).toBe(false)
    expect(isKnown({ 'if-modified-since': 'yesterday' }, file)).toBe(false)
    expect(isKnown({ 'if-none-match': '"x"', 'if-modified-since': date(0) }, file)).toBe(false)
    expect(isKnown({}, file)).toBe(false)
  })

  it('a part is for those who have the rest', () => {
    expect(mayBePart({}, file)).toBe(true)
    expect(mayBePart({ 'if-range': '"a-b-c"' }, file)).toBe(true)
    expect(mayBePart({ 'if-range': 'W/"a-b-c"' }, file)).toBe(false)
    expect(mayBePart({ 'if-range': '"x"' }, file)).toBe(false)
    expect(mayBePart({ 'if-range': date(0) }, file)).toBe(true)
    expect(mayBePart({ 'if-range': date(1) }, file)).toBe(false)
  })
})

describe('encodings', () => {
  it.each([
    ['gzip, br', 'br', true],
    ['gzip', 'br', false],
    ['br;q=0', 'br', false],
    ['br; q=0.001', 'br', true],
    ['*', 'br', true],
    ['*, br;q=0', 'br', false],
    ['*;q=0', 'br', false],
    ['BR', 'br', true],
    ['brx', 'br', false],
    ['br;q=x', 'br', false],
    ['', 'br', false],
    [undefined, 'br', false],
  ])('%j takes %s: %s', (header, encoding, taken) => {
    expect(accepts(header, encoding)).toBe(taken)
  })
})

describe('media types', () => {
  it.each([
    ['/a.html', 'text/html; charset=utf-8'],
    ['/a.HTM', 'text/html; charset=utf-8'],
    ['/a.js', 'text/javascript; charset=utf-8'],
    ['/a.mjs', 'text/javascript; charset=utf-8'],
    ['/a.css', 'text/css; charset=utf-8'],
    ['/a.txt', 'text/plain; charset=utf-8'],
    ['/a.md', 'text/markdown; charset=utf-8'],
    ['/a.xml', 'text/xml; charset=utf-8'],
    ['/a.json', 'application/json'],
    ['/a.map', 'application/json'],
    ['/a.wasm', 'application/wasm'],
    ['/a.svg', 'image/svg+xml'],
    ['/a.ico', 'image/vnd.microsoft.icon'],
    ['/a.webp', 'image/webp'],
    ['/a.woff2', 'font/woff2'],
    ['/a.tar.gz', 'application/gzip'],
    ['/a.tgz', 'application/gzip'],
    ['/a.bin', 'application/octet-stream'],
    ['/a.unknown', 'application/octet-stream'],
    ['/a', 'application/octet-stream'],
    ['/a.b/c', 'application/octet-stream'],
    ['/constructor.__proto__', 'application/octet-stream'],
  ])('%s is %s', (path, type) => {
    expect(toMediaType(path, {})).toBe(type)
  })

  it.each([
    'avi',
    'class',
    'eps',
    'gif',
    'jar',
    'jpeg',
    'jpg',
    'mov',
    'mp4',
    'mpeg',
    'mpg',
    'patch',
    'pdf',
    'png',
    'ps',
    'qt',
    'rtf',
    'tif',
    'tiff',
    'wav',
    'woff',
    'z',
    'zip',
  ])('%s is known', (name) => {
    expect(toMediaType(`/a.${name}`, {})).not.toBe('application/octet-stream')
  })

  it('a config adds to them, and is stronger', () => {
    expect(toMediaType('/a.LOG', { '.log': 'text/plain' })).toBe('text/plain; charset=utf-8')
    expect(toMediaType('/a.html', { '.html': 'text/html; charset=latin1' })).toBe('text/html; charset=latin1')
  })
})
