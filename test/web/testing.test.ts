import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { webAllocHost, webFreeHost, webGetPort, webStartHost, webTestInit } from '../../lib/index.ts'
import { binary, close, closeReply, cont, ping, text } from '../support/frames.ts'
import { turn } from '../engine/uws/support.ts'
import { ask } from '../support/http.ts'
import { RawClient } from '../support/raw.ts'
import { byEngine } from '../support/differences.ts'
import { engines } from '../support/server.ts'

describe.each(engines)('the test actions on the %s engine', (engine) => {
  async function hosted(prefix = '/test') {
    const host = webAllocHost({
      web: {
        engine,
        listen: '127.0.0.1:0',
        webSockets: { protocol: null },
        routes: [{ match: '/', handler: 'action', methods: ['GET', 'POST', 'PUT'] }],
      },
    })
    expect(webTestInit(host, prefix)).toBe(0)
    expect(await webStartHost(host)).toBe(0)
    return { host, port: webGetPort(host) }
  }

  it('answer', async () => {
    const { host, port } = await hosted()
    const get = async (path: string, options: Parameters<typeof ask>[2] = {}): Promise<string> => {
      const { status, body } = await ask(port, `/test${path}`, options)
      expect(status, path).toBe(200)
      return String(body)
    }
    expect(await get('/success')).toBe('success\n')
    expect(await get('/bench')).toBe('success\n')
    expect(await get('/error')).toBe('error\n')
    const lines = (await get('/bulk')).split('\n')
    expect([lines.length, lines[0], lines[99]]).toEqual([101, 'Hello World 0000000000', 'Hello World 0000000099'])
    expect(await get('/bulk?count=3')).toBe('Hello World 0000000000\nHello World 0000000001\nHello World 0000000002\n')
    expect(await get('/bulk?count=0')).toBe('')
    expect((await get('/bulk?count=-1')).length).toBe(2300)
    expect((await get('/bulk?count=100000')).length).toBe(2_300_000)
    expect(await get('/buffer')).toBe(Array.from({ length: 7 }, (_, i) => `Hello World ${i + 1}\n`).join(''))
    expect(await get('/put', { method: 'PUT', body: 'héllo' })).toBe('6\n')
    expect(await get('/stream', { method: 'POST', body: 'x'.repeat(1000) })).toBe('{"length":1000}')
    const events = (await get('/event')).split('\n\n')
    expect([events.length, events[99]]).toEqual([101, 'id: 99\nevent: test\ndata: Event 99'])
    expect(await get('/form', { method: 'POST', body: 'a=1&b=%3Cb%3E%22%26' })).toContain(
      '<dl><dt>a</dt><dd>1</dd><dt>b</dt><dd>&#60;b&#62;&#34;&#38;</dd></dl>',
    )
    const shown: unknown = JSON.parse(
      await get('/show?a=1&b=%20', { method: 'POST', body: 'text', headers: { 'X-Name': 'v' } }),
    )
    expect(shown).toMatchObject({
      url: '/test/show?a=1&b=%20',
      method: 'POST',
      protocol: 'HTTP/1.1',
      remote: '127.0.0.1',
      path: '/test/show',
      query: { a: '1', b: ' ' },
      headers: { 'x-name': 'v' },
      body: { length: 4, text: 'text' },
      route: '/',
      limits: { maxHeader: 10_240 },
    })
    expect((await ask(port, '/test/ws')).status).toBe(400)
    expect((await ask(port, '/other')).status).toBe(404)
    await webFreeHost(host)
  })

  it('/bulk follows a reader that stops', async () => {
    const { host, port } = await hosted()
    const warnings: string[] = []
    const note = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', note)
    const count = 2_000_000
    const length = await new Promise<number>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: `/test/bulk?count=${count}`, agent: false }, (response) => {
        let bytes = 0
        response.once('data', () => {
          response.pause()
          setImmediate(() => response.resume())
        })
        response.on('data', (chunk: Buffer) => (bytes += chunk.length))
        response.on('end', () => resolve(bytes))
      })
        .on('error', reject)
        .end()
    })
    expect(length).toBe(count * 23)
    // Each wait once left a listener behind, which node warns of at the eleventh.
    await turn()
    process.off('warning', note)
    expect(warnings).toEqual([])
    await webFreeHost(host)
  })

  it('/ws echoes text and bytes', async () => {
    const { host, port } = await hosted('/test/')
    const client = await RawClient.open(port, '/test/ws')
    client.send(Buffer.concat([text('hello'), binary(Buffer.from([1, 2, 3]))]))
    expect(await client.frame()).toMatchObject({ opcode: 1, payload: Buffer.from('hello') })
    expect(await client.frame()).toMatchObject({ opcode: 2, payload: Buffer.from([1, 2, 3]) })
    client.send(close(1000))
    expect(await client.rest()).toEqual(closeReply(1000, ''))
    await webFreeHost(host)
  })

  it('/ws/partial reports each event', async () => {
    const { host, port } = await hosted()
    const client = await RawClient.open(port, '/test/ws/partial')
    const next = async (): Promise<unknown> => JSON.parse(String((await client.frame()).payload))
    expect(await next()).toEqual({ event: 'open', type: 0, fin: false, len: 0, text: null })
    client.send(text('one ', false))
    const parts = byEngine(engine, 'parts', {
      node: [
        { event: 'partial', type: 1, fin: false, len: 4, text: 'one ' },
        { event: 'message', type: 1, fin: true, len: 3, text: 'two' },
      ],
      uws: [{ event: 'message', type: 1, fin: true, len: 7, text: 'one two' }],
    })
    if (engine === 'node') expect(await next()).toEqual(parts.shift())
    client.send(cont('two', true))
    expect(await next()).toEqual(parts.shift())
    client.send(binary(Buffer.from([255])))
    expect(await next()).toEqual({ event: 'message', type: 2, fin: true, len: 1, text: '/w==' })
    client.destroy()
    await webFreeHost(host)
  })

  it('/ws/slow answers in order, /ws/close closes as it is told', async () => {
    const { host, port } = await hosted()
    const slow = await RawClient.open(port, '/test/ws/slow?ms=5')
    slow.send(Buffer.concat([text('a'), text('b'), ping('p')]))
    expect((await slow.frame()).opcode).toBe(10)
    expect(String((await slow.frame()).payload)).toBe('a')
    expect(String((await slow.frame()).payload)).toBe('b')
    slow.destroy()
    for (const [query, reply] of [
      ['?code=4001&reason=so%20long', closeReply(4001, 'so long')],
      ['', closeReply(1000, '')],
      ['?code=1006', closeReply(1000, '')],
    ] as const) {
      const client = await RawClient.open(port, `/test/ws/close${query}`)
      const { opcode, payload } = await client.frame()
      expect([opcode, payload]).toEqual([8, reply.subarray(2)])
      client.destroy()
    }
    await webFreeHost(host)
  })
})

it('webTestInit takes hosts and text only', () => {
  // @ts-expect-error A program in JavaScript may pass anything.
  expect([webTestInit({}, '/test'), webTestInit(webAllocHost({}), null)]).toEqual([-6, -6])
})
