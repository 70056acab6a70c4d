import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isTold } from '../../../lib/onebot/failure.ts'
import { toBlocks } from '../../../lib/onebot/media/addresses.ts'
import { openSource, type SourceOptions } from '../../../lib/onebot/media/source.ts'
import { makeFolder } from '../../support/world.ts'

const options = (folders: readonly string[] = []): SourceOptions => ({
  speech: null,
  maxBytes: 1000,
  timeout: 1000,
  allowed: toBlocks([]),
  proxy: null,
  resolve: () => Promise.reject(new Error('nobody is asked')),
  folders,
})

async function read(given: string, folders: readonly string[] = []): Promise<string> {
  try {
    const source = await openSource(given, options(folders))
    if (source === null) return 'no source'
    const chunks: Uint8Array[] = []
    const { name, bytes } = source
    if (bytes instanceof Uint8Array) chunks.push(bytes)
    else for await (const chunk of bytes) chunks.push(chunk)
    return `${name}=${Buffer.concat(chunks).toString()}`
  } catch (error) {
    if (isTold(error)) return error.code
    throw error
  }
}

describe('bytes that a client sends itself', () => {
  it.each([
    ['base64://Zm9n', '=fog'],
    ['BASE64://Zm9n', '=fog'],
    ['base64://Zm9nIGE=', '=fog a'],
    ['base64://Zm9nIGE', '=fog a'],
    ['base64://Zm9n\r\nIGE=\n', '=fog a'],
    ['base64://Pz8_Pj4-', '=???>>>'],
    ['base64://Pz8/Pj4+', '=???>>>'],
    ['data:image/png;base64,Zm9n', '=fog'],
    ['data:;BASE64,Zm9n', '=fog'],
  ])('are what they say: %j', async (given, expected) => {
    expect(await read(given)).toBe(expected)
  })

  it.each([
    'base64://',
    'base64://!',
    'base64://Zm9n!',
    'base64://Zm9nZ',
    'base64://Zm=9n',
    'base64://茶',
    'base64://====',
    'data:image/png,fog',
    'data:image/png;base64',
    'data:image/png;base64,',
    'data:image/png;base64,%5A',
    `base64://${'A'.repeat(1336)}`,
    `data:;base64,${'A'.repeat(1336)}`,
  ])('are refused where they are none, or too many: %.40s', async (given) => {
    expect(await read(given)).toBe('LOAD_FILE_ERROR')
  })

  it('may be as many as that', async () => {
    expect(await read(`base64://${Buffer.alloc(1000, 'x').toString('base64')}`)).toHaveLength(1001)
  })
})

describe('a file on the disk', () => {
  function setUp() {
    const folder = makeFolder()
    const [open, secret] = [join(folder, 'open'), join(folder, 'secret')]
    for (const one of [open, join(open, 'deep'), secret, `${open}-not`]) mkdirSync(one)
    for (const path of ['open/fog.txt', 'open/deep/ fog #1?.txt', 'secret/key', 'open-not/key']) {
      writeFileSync(join(folder, path), path)
    }
    symlinkSync(join(secret, 'key'), join(open, 'out'))
    symlinkSync(secret, join(open, 'way'))
    symlinkSync(join(open, 'fog.txt'), join(open, 'in'))
    symlinkSync(open, join(folder, 'link'))
    return { folder, open, secret }
  }

  it('is read where it is below a folder that is named', async () => {
    const { folder, open } = setUp()
    for (const [path, expected] of [
      ['fog.txt', 'fog.txt=open/fog.txt'],
      ['deep/ fog #1?.txt', ' fog #1?.txt=open/deep/ fog #1?.txt'],
      ['deep/../fog.txt', 'fog.txt=open/fog.txt'],
      ['in', 'in=open/fog.txt'],
    ] as const) {
      expect(await read(join(open, path), [open])).toBe(expected)
      expect(await read(pathToFileURL(join(open, path)).href, [open])).toBe(expected)
    }
    // The folder may be a link itself, and its name may end in a slash.
    expect(await read(join(open, 'fog.txt'), [join(folder, 'link')])).toBe('fog.txt=open/fog.txt')
    expect(await read(join(open, 'fog.txt'), ['/nowhere', `${open}/`])).toBe('fog.txt=open/fog.txt')
  })

  it('onebot trap 39: is not where it is elsewhere, whatever its path says, nor told from one that is not there', async () => {
    const { open, secret } = setUp()
    const nowhere = await read(join(open, 'nowhere'), [open])
    expect(nowhere).toBe('OPEN_FILE_ERROR')
    for (const path of [
      join(secret, 'key'),
      join(open, 'out'),
      join(open, 'way', 'key'),
      `${open}/../secret/key`,
      `${open}/deep/../../secret/key`,
      `${open}-not/key`,
      open,
      `${open}/`,
      '/',
      '/etc/passwd',
      '/dev/zero',
      '/proc/self/environ',
      'c:\\windows\\win.ini',
      `${open}/fog.txt\0.png`,
    ]) {
      expect([path, await read(path, [open])]).toEqual([path, nowhere])
    }
    for (const url of [
      'file:///etc/passwd',
      'file://localhost/etc/passwd',
      'file://elsewhere/etc/passwd',
      `file://${open}/%2e%2e/secret/key`,
      `file://${open}/..%2fsecret%2fkey`,
      'file://',
      'FILE:///etc/passwd',
    ]) {
      expect([url, await read(url, [open])]).toEqual([url, nowhere])
    }
    expect(await read(join(open, 'fog.txt'))).toBe(nowhere)
  })

  it('is not where it is too large', async () => {
    const { open } = setUp()
    truncateSync(join(open, 'fog.txt'), 1001)
    expect(await read(join(open, 'fog.txt'), [open])).toBe('LOAD_FILE_ERROR')
    truncateSync(join(open, 'fog.txt'), 1000)
    expect(await read(join(open, 'fog.txt'), [open])).toHaveLength('fog.txt='.length + 1000)
  })
})

it.each(['', 'fog.png', '019df252-0000-7000-8000-000000000000', 'ftp://a/b', 'base64', 'gopher://a', 'javascript:1'])(
  'what is no source may be a name: %j',
  async (given) => {
    expect(await read(given)).toBe('no source')
  },
)
