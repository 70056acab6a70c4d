import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Config } from '../../../include-types/web.ts'
import { WEB_HOOK_RUN } from '../../../lib/web/hooks.ts'
import { webAddHeader } from '../../../lib/web/reply.ts'
import { ask } from '../../support/http.ts'
import { RawClient } from '../../support/raw.ts'
import { engines, serve } from '../../support/server.ts'

type Route = NonNullable<NonNullable<Config['web']>['routes']>[number]

let folder = ''
const HUNDRED = Buffer.from(Array.from({ length: 100 }, (_, i) => i))
const numbers = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => (i * 7) & 255))
/** More than is read while its request waits, and kept then. */
const MEDIUM = numbers(900_001)
/** More than is kept in memory, and more than is read at a time. */
const LARGE = numbers(3_000_003)
/** Of those files whose dates matter. */
const DATE = new Date(Date.UTC(2026, 0, 2, 3, 4, 5))

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-files-'))
  const site = join(folder, 'site')
  const put = (name: string, content: string | Buffer): void => {
    mkdirSync(join(site, name, '..'), { recursive: true })
    writeFileSync(join(site, name), content)
    utimesSync(join(site, name), DATE, DATE)
  }
  put('index.html', '<p>home</p>')
  put('sub dir/index.html', '<p>sub</p>')
  put('hundred.bin', HUNDRED)
  put('medium.bin', MEDIUM)
  put('large.bin', LARGE)
  put('empty.txt', '')
  put('app.js', 'original')
  put('app.js.br', 'brotli')
  put('app.js.gz', 'gzip')
  put('only.css', 'original')
  put('only.css.gz', 'gzip')
  put('plain.txt', 'plain')
  put('.env', 'SECRET')
  put('sub dir/.env', 'SECRET')
  put('a/.git/config', 'SECRET')
  put('.well-known-x/y', 'SECRET')
  put('.well-known/.x', 'SECRET')
  mkdirSync(join(site, 'odd/index.html'), { recursive: true })
  put('.git/config', 'SECRET')
  put('.well-known/x', 'known')
  put('a b%c#d?e.txt', 'odd')
  writeFileSync(join(folder, 'outside.txt'), 'SECRET')
  mkdirSync(join(folder, 'site-2'))
  writeFileSync(join(folder, 'site-2', 'x.txt'), 'SECRET')
  symlinkSync(join(folder, 'outside.txt'), join(site, 'link.txt'))
  symlinkSync(join(folder, 'site-2'), join(site, 'near'))
  symlinkSync(join(site, 'plain.txt'), join(site, 'inside.txt'))
  execFileSync('mkfifo', [join(site, 'fifo')])
})
afterAll(() => rmSync(folder, { recursive: true }))

describe.each(engines)('files on the %s engine', (engine) => {
  const site = (route: Route = {}, web: Config['web'] = {}) =>
    serve(engine, () => {}, { documents: join(folder, 'site'), ...web, routes: [{ match: '/', ...route }] })

  it('come with their type, size and state', async () => {
    const { port } = await site()
    const { status, headers, body } = await ask(port, '/hundred.bin')
    expect([status, body]).toEqual([200, HUNDRED])
    expect(headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '100',
      'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
    })
    expect(headers['etag']).toMatch(/^"64-[0-9a-f]+-[0-9a-f]+"$/)
    expect(headers['cache-control']).toBeUndefined()
    expect(headers['vary']).toBeUndefined()
    expect((await ask(port, '/large.bin')).body.equals(LARGE)).toBe(true)
    expect(await ask(port, '/empty.txt')).toMatchObject({
      status: 200,
      headers: { 'content-length': '0' },
      body: Buffer.alloc(0),
    })
    expect(String((await ask(port, '/a%20b%25c%23d%3Fe.txt')).body)).toBe('odd')
  })

  it('headers of host, route and hook are on each, the later over the earlier', async () => {
    const { host, port } = await site({ headers: { 'X-B': 'route' } }, { headers: { 'X-A': 'host', 'X-B': 'host' } })
    const get = async () => (await ask(port, '/plain.txt')).headers
    for (let i = 0; i < 2; i++) {
      const headers = await get()
      expect(headers).toMatchObject({ 'x-a': 'host', 'x-b': 'route', 'content-length': '5' })
      expect(headers['x-c']).toBeUndefined()
    }
    let count = 0
    host.hook = (web, event) => {
      if (event === WEB_HOOK_RUN) webAddHeader(web, 'X-C', String(++count))
    }
    expect((await get())['x-c']).toBe('1')
    expect(await get()).toMatchObject({ 'x-a': 'host', 'x-b': 'route', 'x-c': '2', 'content-length': '5' })
    host.hook = null
    expect((await get())['x-c']).toBeUndefined()
  })

  it('trap 64: HEAD has the headers of GET and no body; the next request is understood', async () => {
    const { port } = await site()
    for (const target of ['/hundred.bin', '/large.bin', '/empty.txt', '/nowhere', '/sub%20dir']) {
      const [get, head] = [await ask(port, target), await ask(port, target, { method: 'HEAD' })]
      expect(head.body.length).toBe(0)
      expect(head.status).toBe(get.status)
      const comparable = ({ headers }: typeof get) => ({ ...headers, date: '' })
      expect(comparable(head)).toEqual(comparable(get))
    }
    const client = await RawClient.connect(port)
    for (const target of ['/large.bin', '/hundred.bin']) {
      client.send(Buffer.from(`HEAD ${target} HTTP/1.1\r\nHost: x\r\n\r\n`))
      expect((await client.response()).status).toBe(200)
      expect(client.received.length).toBe(0)
    }
    client.destroy()
  })

  it('trap 65: who has the state of a file gets 304: no body, no length', async () => {
    const { port } = await site({ compressed: true, cache: { maxAge: '1hour', directives: 'public' } })
    const { headers } = await ask(port, '/plain.txt')
    const etag = String(headers['etag'])
    for (const condition of [
      { 'If-None-Match': etag },
      { 'If-None-Match': `"x", W/${etag}` },
      { 'If-None-Match': '*' },
      { 'If-Modified-Since': DATE.toUTCString() },
      { 'If-None-Match': etag, 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' },
      { 'If-None-Match': etag, 'Range': 'bytes=0-1' },
    ]) {
      for (const method of ['GET', 'HEAD']) {
        const again = await ask(port, '/plain.txt', { headers: condition, method })
        expect([again.status, again.body.length]).toEqual([304, 0])
        expect(again.headers['content-length']).toBeUndefined()
        expect(again.headers['transfer-encoding']).toBeUndefined()
        expect(again.headers).toMatchObject({
          'etag': etag,
          'last-modified': DATE.toUTCString(),
          'accept-ranges': 'bytes',
          'vary': 'Accept-Encoding',
          'cache-control': 'public, max-age=3600',
        })
      }
    }
    for (const condition of [
      { 'If-None-Match': '"x"' },
      { 'If-Modified-Since': new Date(+DATE - 1000).toUTCString() },
    ]) {
      expect((await ask(port, '/plain.txt', { headers: condition })).status).toBe(200)
    }
  })

  it.each([
    ['bytes=0-49', 206, 'bytes 0-49/100', HUNDRED.subarray(0, 50)],
    ['bytes=-10', 206, 'bytes 90-99/100', HUNDRED.subarray(90)],
    ['bytes=99-', 206, 'bytes 99-99/100', HUNDRED.subarray(99)],
    ['bytes=0-1000', 206, 'bytes 0-99/100', HUNDRED],
    ['bytes=a-b', 200, undefined, HUNDRED],
    ['bytes=5-4', 200, undefined, HUNDRED],
  ])('trap 66: Range %s of 100 is %i', async (range, status, contentRange, bytes) => {
    const { port } = await site()
    const reply = await ask(port, '/hundred.bin', { headers: { Range: range } })
    expect([reply.status, reply.headers['content-range'], reply.body]).toEqual([status, contentRange, bytes])
    expect(reply.headers['content-length']).toBe(String(bytes.length))
    expect(reply.headers['content-type']).toBe('application/octet-stream')
  })

  it('what is hidden is so at any depth, and a folder that is called like the index is no page', async () => {
    const { port } = await site()
    for (const path of ['/sub%20dir/.env', '/a/.git/config', '/.well-known-x/y', '/.well-known/.x']) {
      expect((await ask(port, path)).status, path).toBe(404)
    }
    const { status, headers } = await ask(port, '/odd/')
    expect([status, headers['location']]).toEqual([404, undefined])
  })

  it('an encoded file that was asked for itself stays apart from what it stands for', async () => {
    const { port } = await site({ compressed: true })
    for (let i = 0; i < 2; i++) {
      const own = await ask(port, '/app.js.br')
      expect([own.headers['content-encoding'], String(own.body)]).toEqual([undefined, 'brotli'])
      const encoded = await ask(port, '/app.js', { headers: { 'Accept-Encoding': 'br' } })
      expect([encoded.headers['content-encoding'], encoded.headers['content-type']]).toEqual([
        'br',
        'text/javascript; charset=utf-8',
      ])
      expect(encoded.headers['etag']).toBe(own.headers['etag'])
    }
    const part = await ask(port, '/app.js', { headers: { 'Accept-Encoding': 'br', 'Range': 'bytes=1-2' } })
    expect([part.status, String(part.body)]).toEqual([206, 'ro'])
    expect(part.headers).toMatchObject({
      'content-encoding': 'br',
      'etag': expect.any(String) as unknown,
      'last-modified': DATE.toUTCString(),
      'accept-ranges': 'bytes',
      'vary': 'Accept-Encoding',
    })
    const old = new Date(DATE.getTime() - 1000).toUTCString()
    expect((await ask(port, '/app.js', { headers: { 'Range': 'bytes=1-2', 'If-Range': old } })).status).toBe(200)
  })

  it('who wants another state of a file than it has is told so with 412', async () => {
    const { port } = await site()
    const etag = String((await ask(port, '/plain.txt')).headers['etag'])
    const earlier = new Date(DATE.getTime() - 1000).toUTCString()
    for (const [headers, status] of [
      [{ 'If-Match': etag }, 200],
      [{ 'If-Match': '*' }, 200],
      [{ 'If-Match': `"x", ${etag}` }, 200],
      [{ 'If-Match': '"x"' }, 412],
      [{ 'If-Match': `W/${etag}` }, 412],
      [{ 'If-Unmodified-Since': DATE.toUTCString() }, 200],
      [{ 'If-Unmodified-Since': earlier }, 412],
      [{ 'If-Unmodified-Since': 'no date' }, 200],
      [{ 'If-Match': etag, 'If-Unmodified-Since': earlier }, 200],
      [{ 'If-Match': '"x"', 'If-None-Match': etag }, 412],
    ] as const) {
      for (const method of ['GET', 'HEAD']) {
        const given = await ask(port, '/plain.txt', { headers, method })
        expect(given.status, JSON.stringify(headers)).toBe(status)
      }
    }
  })

  it('trap 66: a range that is not there is 416, a text; HEAD has no ranges', async () => {
    const { port } = await site()
    const reply = await ask(port, '/hundred.bin', { headers: { Range: 'bytes=200-' } })
    expect([reply.status, reply.headers['content-range'], String(reply.body)]).toEqual([
      416,
      'bytes */100',
      'Range Not Satisfiable\n',
    ])
    expect((await ask(port, '/empty.txt', { headers: { Range: 'bytes=0-' } })).status).toBe(416)
    const head = await ask(port, '/hundred.bin', { headers: { Range: 'bytes=0-1' }, method: 'HEAD' })
    expect([head.status, head.headers['content-length']]).toEqual([200, '100'])
  })

  it('parts of a large file, over its chunks', async () => {
    const { port } = await site()
    for (const [start, end] of [
      [0, 0],
      [262_143, 262_144],
      [262_144, 899_999],
      [1, 900_000],
    ] as const) {
      for (const [name, bytes] of [
        ['large', LARGE],
        ['medium', MEDIUM],
      ] as const) {
        const { status, body } = await ask(port, `/${name}.bin`, { headers: { Range: `bytes=${start}-${end}` } })
        expect(status).toBe(206)
        expect(body.equals(bytes.subarray(start, end + 1))).toBe(true)
      }
    }
  })

  it.each([
    ['large', LARGE],
    ['medium', MEDIUM],
  ])('a %s file, again and again on one connection, and several parts of it', async (name, bytes) => {
    const { port } = await site()
    const client = await RawClient.connect(port)
    for (let i = 0; i < 5; i++) {
      client.send(Buffer.from(`GET /${name}.bin HTTP/1.1\r\nHost: x\r\n\r\n`))
      const { status, head } = await client.response()
      expect([status, /^Content-Length: (\d+)$/m.exec(head)?.[1]]).toEqual([200, String(bytes.length)])
      await client.until(() => client.length >= bytes.length)
      expect(client.received.equals(bytes)).toBe(true)
      client.received = Buffer.alloc(0)
    }
    client.destroy()
    const { status, body } = await ask(port, `/${name}.bin`, { headers: { Range: 'bytes=0-99999,200000-899999' } })
    expect(status).toBe(206)
    expect(body.includes(bytes.subarray(0, 100_000))).toBe(true)
    expect(body.includes(bytes.subarray(200_000, 900_000))).toBe(true)
  })

  it('who reads a kept file slowly gets all of it, and others are served meanwhile', async () => {
    const { port } = await site()
    // Kept from the second request on.
    await ask(port, '/medium.bin')
    const slow = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = await RawClient.connect(port)
        client.socket.pause()
        client.send(Buffer.from('GET /medium.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'.repeat(1)))
        return client
      }),
    )
    expect((await ask(port, '/medium.bin')).body.equals(MEDIUM)).toBe(true)
    for (const client of slow) {
      client.socket.resume()
      await client.response()
      await client.until(() => client.length >= MEDIUM.length)
      expect(client.received.subarray(0, MEDIUM.length).equals(MEDIUM)).toBe(true)
      client.destroy()
    }
  })

  it.each([
    ['/hundred.bin', HUNDRED],
    ['/large.bin', LARGE],
  ])('several ranges of %s are parts between boundaries', async (target, content) => {
    const { port } = await site()
    const { status, headers, body } = await ask(port, target, { headers: { Range: 'bytes=0-1, 50-52, -1' } })
    expect(status).toBe(206)
    const [, boundary = ''] =
      /^multipart\/byteranges; boundary=([0-9a-f]{32})$/.exec(String(headers['content-type'])) ?? []
    expect(headers['content-length']).toBe(String(body.length))
    expect(headers['content-range']).toBeUndefined()
    const size = content.length
    const part = (start: number, end: number): string =>
      `\r\n--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${start}-${end}/${size}\r\n\r\n` +
      content.toString('latin1', start, end + 1)
    expect(body.toString('latin1')).toBe(
      `${part(0, 1)}${part(50, 52)}${part(size - 1, size - 1)}\r\n--${boundary}--\r\n`,
    )
  })

  it('If-Range: a part for who has the rest, else the whole', async () => {
    const { port } = await site()
    const etag = String((await ask(port, '/hundred.bin')).headers['etag'])
    const status = async (condition: string): Promise<number> =>
      (await ask(port, '/hundred.bin', { headers: { 'Range': 'bytes=0-1', 'If-Range': condition } })).status
    expect([await status(etag), await status(DATE.toUTCString())]).toEqual([206, 206])
    expect([await status('"x"'), await status(`W/${etag}`), await status(new Date().toUTCString())]).toEqual([
      200, 200, 200,
    ])
  })

  it('what lies compressed beside a file goes to who takes it', async () => {
    const { port } = await site({ compressed: true })
    const get = async (target: string, accept?: string) => {
      const reply = await ask(port, target, { headers: accept === undefined ? {} : { 'Accept-Encoding': accept } })
      expect(reply.headers['vary']).toBe('Accept-Encoding')
      return [String(reply.body), reply.headers['content-encoding'], reply.headers['content-type']]
    }
    const js = 'text/javascript; charset=utf-8'
    expect(await get('/app.js', 'gzip, br')).toEqual(['brotli', 'br', js])
    expect(await get('/app.js', 'gzip')).toEqual(['gzip', 'gzip', js])
    expect(await get('/app.js', 'gzip, br;q=0')).toEqual(['gzip', 'gzip', js])
    expect(await get('/app.js', 'deflate')).toEqual(['original', undefined, js])
    expect(await get('/app.js')).toEqual(['original', undefined, js])
    // br is accepted, and not there.
    expect(await get('/only.css', 'br, gzip')).toEqual(['gzip', 'gzip', 'text/css; charset=utf-8'])
    expect(await get('/plain.txt', 'br, gzip')).toEqual(['plain', undefined, 'text/plain; charset=utf-8'])
    // Each has a state of its own.
    const etags = await Promise.all(
      ['br', 'gzip', ''].map((accept) => ask(port, '/app.js', { headers: { 'Accept-Encoding': accept } })),
    )
    expect(new Set(etags.map(({ headers }) => headers['etag'])).size).toBe(3)
    const range = await ask(port, '/app.js', { headers: { 'Accept-Encoding': 'br', 'Range': 'bytes=100-' } })
    expect([range.status, range.headers['content-encoding'], String(range.body)]).toEqual([
      416,
      undefined,
      'Range Not Satisfiable\n',
    ])
  })

  it('Cache-Control is what the route says, for the extensions it names', async () => {
    const { port } = await site({
      cache: { maxAge: '90secs', directives: 'public, immutable', extensions: ['JS', '.css'] },
    })
    const of = async (target: string) => (await ask(port, target)).headers['cache-control']
    expect([await of('/app.js'), await of('/only.css'), await of('/plain.txt'), await of('/')]).toEqual([
      'public, immutable, max-age=90',
      'public, immutable, max-age=90',
      undefined,
      undefined,
    ])
  })

  it('trap 67: a folder without slash is a redirect that keeps the query, also below a prefix', async () => {
    const { port } = await site({ match: '/docs/', trim: '/docs' })
    const reply = await ask(port, '/docs/sub%20dir?q=1&r')
    expect([reply.status, reply.headers['location']]).toEqual([301, './sub%20dir/?q=1&r'])
    expect(String((await ask(port, '/docs/sub%20dir/')).body)).toBe('<p>sub</p>')
    expect(String((await ask(port, '/docs/')).body)).toBe('<p>home</p>')
  })

  it.each([
    ['/%2e%2e/%2e%2e/etc/passwd', 400],
    ['/a/..%2f..%2fetc', 400],
    ['/../site-2/x.txt', 400],
    ['/..%5c..', 400],
    ['/a%5cb', 400],
    ['/%00', 400],
    ['/plain.txt%00.html', 400],
    ['/%ff', 400],
    ['/%zz', 400],
    ['/.env', 404],
    ['/%2eenv', 404],
    ['/.git/config', 404],
    ['/sub%20dir/../.env', 404],
    ['/link.txt', 404],
    ['/near/x.txt', 404],
    ['/near/', 404],
    ['/near', 404],
    ['/fifo', 404],
    ['/nowhere', 404],
    ['/nowhere/', 404],
    ['/plain.txt/', 404],
    ['/plain.txt/x', 404],
    [`/${'x'.repeat(300)}`, 404],
    [`/${'x/'.repeat(2000)}`, 404],
  ])('trap 63: %s is %i, and nothing from outside', async (target, status) => {
    const { port } = await site()
    const reply = await ask(port, target)
    expect(reply.status).toBe(status)
    expect(String(reply.body)).toBe(status === 400 ? 'Bad Request\n' : 'Cannot locate document\n')
  })

  it('a link that stays inside is followed, and .well-known is found', async () => {
    const { port } = await site()
    expect(String((await ask(port, '/inside.txt')).body)).toBe('plain')
    expect(String((await ask(port, '/.well-known/x')).body)).toBe('known')
  })

  it('a change is seen at once: other bytes, another file of its name, a link that turns outside, none', async () => {
    const { port } = await site()
    const path = join(folder, 'site', `changing-${engine}.txt`)
    const get = async (): Promise<string> => String((await ask(port, `/changing-${engine}.txt`)).body)
    writeFileSync(path, 'one')
    expect(await get()).toBe('one')
    writeFileSync(path, 'two')
    expect(await get()).toBe('two')
    writeFileSync(`${path}.new`, 'six')
    renameSync(`${path}.new`, path)
    expect(await get()).toBe('six')
    unlinkSync(path)
    symlinkSync(join(folder, 'outside.txt'), path)
    expect(await get()).toBe('Cannot locate document\n')
    unlinkSync(path)
    expect(await get()).toBe('Cannot locate document\n')
  })

  it('a file that shrinks while it is sent ends the connection', async () => {
    const { port } = await site()
    const path = join(folder, 'site', `shrinking-${engine}.bin`)
    writeFileSync(path, Buffer.alloc(32 << 20))
    const client = await RawClient.connect(port)
    client.socket.pause()
    client.send(Buffer.from(`GET /shrinking-${engine}.bin HTTP/1.1\r\nHost: x\r\n\r\n`))
    while (client.socket.readableLength === 0) {
      client.socket.read(0)
      await new Promise((resolve) => setImmediate(resolve))
    }
    writeFileSync(path, '')
    client.socket.resume()
    const { head } = await client.response()
    expect(head).toContain(`Content-Length: ${32 << 20}`)
    await client.until(() => client.ended)
    expect(client.received.length).toBeLessThan(32 << 20)
    client.destroy()
  })
})
