import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { isTold } from '../../../lib/onebot/failure.ts'
import { toBlocks } from '../../../lib/onebot/media/addresses.ts'
import { fetchMedia, type FetchOptions, type Resolve } from '../../../lib/onebot/media/fetch.ts'
import { names } from '../../support/trap.ts'

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

async function listen(server: Server | TlsServer): Promise<number> {
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A server on all addresses of this machine, with those that were asked for: of each request `host address path`. */
async function serve(answer: Answer = (_request, response) => response.end('fog')) {
  const asked: string[] = []
  const server: Server = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.socket.localAddress} ${request.url}`)
    answer(request, response)
  })
  return { port: await listen(server), asked }
}

const HERE = toBlocks(['127.0.0.1'])
const options = (more: Partial<FetchOptions> = {}): FetchOptions => ({
  maxBytes: 100_000,
  timeout: 10_000,
  allowed: HERE,
  proxy: null,
  resolve: names({}).resolve,
  ...more,
})

async function read(url: string, more: Partial<FetchOptions> = {}): Promise<string> {
  try {
    const { name, bytes } = await fetchMedia(url, options(more))
    const chunks: Uint8Array[] = []
    for await (const chunk of bytes) chunks.push(chunk)
    return `${name}=${Buffer.concat(chunks).toString()}`
  } catch (error) {
    if (isTold(error)) return error.message.replace('DOWNLOAD_FILE_ERROR: ', '')
    throw error
  }
}

const REFUSED = 'is at an address that onebot.media.allow does not name'

describe('what is fetched', () => {
  it('is what is there, by the name that its address has', async () => {
    const { port, asked } = await serve()
    const { resolve } = names({ 'files.test': ['127.0.0.1'] })
    expect(await read(`http://files.test:${port}/a/fog%20bank.png?b=c`, { resolve })).toBe('fog bank.png=fog')
    expect(await read(`http://127.0.0.1:${port}`)).toBe('=fog')
    expect(await read(`http://127.0.0.1:${port}/%ff`)).toBe('%ff=fog')
    expect(asked).toEqual([
      `files.test:${port} 127.0.0.1 /a/fog%20bank.png?b=c`,
      `127.0.0.1:${port} 127.0.0.1 /`,
      `127.0.0.1:${port} 127.0.0.1 /%ff`,
    ])
  })

  it('may be asked for with headers of the client', async () => {
    const { port } = await serve((request, response) => response.end(request.headers['referer']))
    expect(await read(`http://127.0.0.1:${port}/`, { headers: { Referer: 'x' } })).toBe('=x')
  })

  it('is followed where it has moved, five times', async () => {
    const { port } = await serve((request, response) => {
      const left = Number(request.url?.slice(1))
      if (left === 0) response.end('fog')
      else response.writeHead([301, 302, 303, 307, 308][left % 5] ?? 302, { Location: `/${left - 1}` }).end('elsewhere')
    })
    expect(await read(`http://127.0.0.1:${port}/5`)).toBe('0=fog')
    expect(await read(`http://127.0.0.1:${port}/6`)).toBe('leads from one place to another')
  })

  it.each([
    ['nothing of the kind', (_: unknown, response: ServerResponse) => response.writeHead(404).end('no'), /with 404/],
    ['no content', (_: unknown, response: ServerResponse) => response.writeHead(204).end(), /with 204/],
    ['a part', (_: unknown, response: ServerResponse) => response.writeHead(206).end('f'), /with 206/],
    [
      'what is encoded',
      (_: unknown, response: ServerResponse) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x'),
      /is encoded/,
    ],
    [
      'too much',
      (_: unknown, response: ServerResponse) => response.end(Buffer.alloc(100_001)),
      /longer than 100000 bytes/,
    ],
    [
      'half of it',
      (_: unknown, response: ServerResponse) => {
        response.writeHead(200, { 'Content-Length': '10' }).write('fog')
        setImmediate(() => response.destroy())
      },
      /cannot be fetched|breaks off/,
    ],
    ['a place without a name', (_: unknown, response: ServerResponse) => response.writeHead(302).end(), /another/],
  ])('is nothing where there is %s', async (_name, answer, why) => {
    const { port } = await serve(answer)
    expect(await read(`http://127.0.0.1:${port}/`)).toMatch(why)
  })

  it('may be as much as there may be', async () => {
    const { port } = await serve((_request, response) => response.end(Buffer.alloc(100_000, 'x')))
    expect(await read(`http://127.0.0.1:${port}/`)).toHaveLength(100_001)
  })

  it('does not take longer than it may: for its name, its answer, and all of it', async () => {
    const silent = await serve(() => {})
    const slow = await serve((_request, response) => {
      const timer = setInterval(() => response.write('x'), 5)
      cleanups.push(() => clearInterval(timer))
    })
    const late = 'takes too long'
    const never: Resolve = () => new Promise(() => {})
    expect(await read(`http://127.0.0.1:${silent.port}/`, { timeout: 50 })).toBe(late)
    expect(await read(`http://127.0.0.1:${slow.port}/`, { timeout: 50 })).toBe(late)
    expect(await read('http://files.test/', { timeout: 50, resolve: never })).toBe(late)
  })

  it('is not told from what cannot be reached', async () => {
    const { port } = await serve()
    const gone = await serve()
    for (const clean of cleanups.splice(1)) clean()
    expect(await read(`http://127.0.0.1:${gone.port}/`)).toBe('cannot be fetched')
    expect(await read(`http://nobody.test:${port}/`)).toBe('cannot be fetched')
    expect(await read('http://127.0.0.1:1/')).toBe('cannot be fetched')
  })
})

describe('what is not fetched', () => {
  it.each([
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '127.0.0.1.',
    '0.0.0.0',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:0:0:1]',
    '１２７.0.0.1',
    '169.254.169.254',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '10.0.0.1',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'metadata.test',
    'both.test',
    'mapped.test',
  ])('is at an address of this machine or its network, however that is written: %s', async (host) => {
    const { port, asked } = await serve()
    const { resolve } = names({
      'localhost': ['127.0.0.1'],
      'localhost.': ['127.0.0.1'],
      '127.0.0.1.': ['127.0.0.1'],
      'metadata.test': ['169.254.169.254'],
      'both.test': [['93.184.216.34', '127.0.0.1']],
      'mapped.test': ['::ffff:127.0.0.1'],
    })
    expect(await read(`http://${host}:${port}/`, { resolve, allowed: toBlocks([]) })).toBe(REFUSED)
    expect(asked).toEqual([])
  })

  it('is where a redirect leads that may not be asked directly, nor what is no HTTP', async () => {
    for (const [to, why] of [
      ['http://127.0.0.2:PORT/', REFUSED],
      ['//127.0.0.2:PORT/', REFUSED],
      ['http://inner.test:PORT/', REFUSED],
      ['http://169.254.169.254/latest/meta-data/', REFUSED],
      ['https://[::1]:PORT/', REFUSED],
      ['file:///etc/passwd', 'is no URL with http or https'],
      ['ftp://127.0.0.1/', 'is no URL with http or https'],
      ['data:,x', 'is no URL with http or https'],
    ] as const) {
      const { port, asked } = await serve((_request, response) => {
        response.writeHead(302, { Location: to.replace('PORT', String(port)) }).end()
      })
      const { resolve } = names({ 'inner.test': ['127.0.0.2'] })
      expect([to, await read(`http://127.0.0.1:${port}/`, { resolve })]).toEqual([to, why])
      expect(asked).toHaveLength(1)
    }
  })

  it('is another host than the one that was looked at, though its name is another one’s by then', async () => {
    const { port, asked } = await serve((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { Location: '/' }).end()
      else response.end('fog')
    })
    const changing = names({ 'files.test': ['127.0.0.1', '127.0.0.2'] })
    expect(await read(`http://files.test:${port}/`, { resolve: changing.resolve })).toBe('=fog')
    // It was asked for once: what was looked at is what was connected to.
    expect([changing.asked, asked]).toEqual([['files.test'], [`files.test:${port} 127.0.0.1 /`]])
    // And looked at again, where it is asked for again.
    const moving = names({ 'files.test': ['127.0.0.1', '127.0.0.2'] })
    expect(await read(`http://files.test:${port}/moved`, { resolve: moving.resolve })).toBe(REFUSED)
    expect(asked.slice(1)).toEqual([`files.test:${port} 127.0.0.1 /moved`])
  })
})

describe('over TLS', () => {
  it('a host has to be who it says, by its name', async () => {
    const folder = join(import.meta.dirname, '../../support/tls')
    const told: unknown[] = []
    const server = createTlsServer({
      cert: readFileSync(join(folder, 'cert.pem')),
      key: readFileSync(join(folder, 'key.pem')),
      SNICallback: (name, done) => {
        told.push(name)
        done(null)
      },
    })
    const port = await listen(server)
    const { resolve } = names({ 'files.test': ['127.0.0.1'] })
    expect(await read(`https://files.test:${port}/`, { resolve })).toBe('cannot be fetched')
    expect(told).toEqual(['files.test'])
  })
})

describe('through a proxy', () => {
  it('what was looked at is what it connects to', async () => {
    const { port, asked } = await serve()
    const tunnels: (string | undefined)[] = []
    const proxy = createServer().on('connect', (request: IncomingMessage, socket) => {
      tunnels.push(request.url)
      const there = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        there.pipe(socket).pipe(there)
      })
      for (const one of [there, socket]) one.on('error', () => {})
    })
    const via = { proxy: `http://127.0.0.1:${await listen(proxy)}` }
    const { resolve } = names({ 'files.test': ['93.184.216.34'], 'inner.test': ['10.0.0.1'] })
    expect(await read('http://files.test/fog.png', { ...via, resolve })).toBe('fog.png=fog')
    expect([tunnels, asked]).toEqual([['93.184.216.34:80'], ['files.test 127.0.0.1 /fog.png']])
    expect(await read('http://inner.test/', { ...via, resolve })).toBe(REFUSED)
    expect(await read('http://[::1]/', { ...via, resolve })).toBe(REFUSED)
    expect(tunnels).toHaveLength(1)
  })
})
