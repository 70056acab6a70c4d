import { describe, expect, it } from 'vitest'
import type { Web } from '../../include-types/web.ts'
import {
  webAddHeader,
  webError,
  webFinalize,
  webFlush,
  webRedirect,
  webSetStatus,
  webWrite,
  webWriteJson,
  webWriteResponse,
  webWriteResponseString,
} from '../../lib/web/reply.ts'
import { webReadBody } from '../../lib/web/web.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { ask } from '../support/http.ts'
import { deferred } from '../support/memory.ts'
import { RawClient } from '../support/raw.ts'
import { engines, serve } from '../support/server.ts'

const [BAD_ARGS, BAD_STATE, WOULD_BLOCK] = [-6, -14, -41]

/** Resolves when a number has begun to grow, and no longer does. */
async function standstill(read: () => number): Promise<void> {
  for (let [before, now] = [-1, 0]; now === 0 || before !== now;) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    before = now
    now = read()
  }
}

describe.each(engines)('answers of an action on the %s engine', (engine) => {
  /** What an action answers, and what its calls returned. */
  async function answered(action: (web: Web) => unknown, method = 'GET') {
    const codes = deferred<unknown>()
    const { port } = await serve(engine, async (web) => {
      codes.resolve(await action(web))
    })
    const { status, headers, body } = await ask(port, '/', { method })
    return { status, headers, body: String(body), codes: await codes.promise }
  }

  it('status, headers and text', async () => {
    const { status, headers, body, codes } = await answered((web) => [
      webAddHeader(web, 'X-Name', 'one'),
      webAddHeader(web, 'x-name', 'two'),
      webAddHeader(web, 'Set-Cookie', 'a=1'),
      webAddHeader(web, 'Set-Cookie', 'b=2'),
      webWriteResponse(web, 201, '%s=%d', 'n', 5),
    ])
    expect([status, body, codes]).toEqual([201, 'n=5\n', [0, 0, 0, 0, 0]])
    expect(headers).toMatchObject({
      'x-name': 'two',
      'set-cookie': ['a=1', 'b=2'],
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '4',
    })
    expect((await answered((web) => webWriteResponseString(web, 200, '100%s'))).body).toBe('100%s\n')
  })

  it('JSON', async () => {
    const { status, headers, body } = await answered((web) => webWriteJson(web, { a: [1, 'ü'] }, 202))
    expect([status, headers['content-type'], headers['content-length'], body]).toEqual([
      202,
      'application/json',
      '14',
      '{"a":[1,"ü"]}',
    ])
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const { codes, body: none } = await answered((web) => [
      webWriteJson(web, cycle),
      webWriteJson(web, undefined),
      webWriteJson(web, () => {}),
      webWriteJson(web, 5n),
      webWriteJson(web, 1, 42),
    ])
    expect([codes, none]).toEqual([Array.from({ length: 5 }, () => BAD_ARGS), 'OK\n'])
  })

  it('in parts, with a length or without', async () => {
    const parts = await answered((web) => [
      webSetStatus(web, 203),
      webWrite(web, 'one '),
      webWrite(web, Buffer.from('two')),
      webWrite(web, 'ü'),
    ])
    expect(parts).toMatchObject({
      status: 203,
      body: 'one twoü',
      codes: [0, 4, 3, 2],
      headers: { 'transfer-encoding': 'chunked' },
    })
    const whole = await answered((web) => [
      webAddHeader(web, 'Content-Length', '6'),
      webWrite(web, 'one'),
      webWrite(web, 'two'),
      webFinalize(web),
    ])
    expect(whole).toMatchObject({ body: 'onetwo', codes: [0, 3, 3, BAD_STATE], headers: { 'content-length': '6' } })
    const empty = await answered((web) => webFinalize(web))
    expect(empty).toMatchObject({ status: 200, body: '', codes: 0, headers: { 'content-length': '0' } })
  })

  it('trap 69: what could break out of a header line is refused, and the answer goes on', async () => {
    const { codes, headers, body } = await answered((web) => [
      webAddHeader(web, 'X-A', 'a\r\nSet-Cookie: b'),
      webAddHeader(web, 'X-A', 'a\nb'),
      webAddHeader(web, 'X-A', 'a\0b'),
      webAddHeader(web, 'X A', 'a'),
      webAddHeader(web, '', 'a'),
      webRedirect(web, 302, '/\r\nX: y'),
      webWriteResponse(web, 200, 'fine'),
    ])
    expect([codes, body]).toEqual([[BAD_ARGS, BAD_ARGS, BAD_ARGS, BAD_ARGS, BAD_ARGS, BAD_ARGS, 0], 'fine\n'])
    expect([headers['set-cookie'], headers['x-a'], headers['location']]).toEqual([undefined, undefined, undefined])
  })

  it('redirects, and errors', async () => {
    const moved = await answered((web) => [webRedirect(web, 200, '/x'), webRedirect(web, 307, '/x')])
    expect(moved).toMatchObject({ status: 307, codes: [BAD_ARGS, 0], headers: { location: '/x' } })
    const failed = await answered((web) => [webError(web, 200, 'x'), webError(web, 418, 'no %s', 'tea')])
    expect(failed).toMatchObject({ status: 418, body: 'no tea\n', codes: [BAD_ARGS, 0] })
  })

  it('once it is answered nothing more is said', async () => {
    const { codes, body } = await answered((web) => [
      webWriteResponse(web, 200, 'first'),
      webWriteResponse(web, 200, 'second'),
      webSetStatus(web, 300),
      webAddHeader(web, 'X', 'y'),
      webWrite(web, 'x'),
      webFinalize(web),
      webWriteJson(web, 1),
      webError(web, 500, 'x'),
      webRedirect(web, 302, '/'),
    ])
    expect([codes, body]).toEqual([[0, ...Array.from({ length: 8 }, () => BAD_STATE)], 'first\n'])
    expect(await answered((web) => webFinalize(web) || webFlush(web))).toMatchObject({ codes: BAD_STATE })
  })

  it('what has begun cannot begin again; an error then ends the connection', async () => {
    const codes = deferred<number[]>()
    const { port } = await serve(engine, (web) => {
      codes.resolve([
        webWrite(web, 'begun'),
        webSetStatus(web, 300),
        webAddHeader(web, 'X', 'y'),
        webWriteResponse(web, 200, 'x'),
        webWriteJson(web, 1),
        webError(web, 500, 'x'),
      ])
    })
    await expect(ask(port, '/')).rejects.toThrow(/aborted|reset|hang up/)
    expect(await codes.promise).toEqual([5, BAD_STATE, BAD_STATE, BAD_STATE, BAD_STATE, 0])
  })

  it('trap 48: an action that fails behind its first part ends the connection', async () => {
    const { port } = await serve(engine, async (web) => {
      webWrite(web, 'begun')
      await Promise.resolve()
      throw new Error('behind its first part')
    })
    await expect(ask(port, '/')).rejects.toThrow(/aborted|reset|hang up/)
  })

  it('HEAD has the headers and no body, also of parts', async () => {
    for (const action of [
      (web: Web) => webWriteJson(web, { a: 1 }),
      (web: Web) => [webAddHeader(web, 'Content-Length', '3'), webWrite(web, 'abc')],
      (web: Web) => webWriteResponse(web, 200, 'text'),
    ]) {
      const [get, head] = [await answered(action), await answered(action, 'HEAD')]
      expect([head.status, head.body, head.headers['content-length']]).toEqual([
        get.status,
        '',
        get.headers['content-length'],
      ])
    }
  })

  it('wrong arguments are -6', async () => {
    const wrong: unknown = {}
    const { codes } = await answered((web) => [
      webSetStatus(web, 99),
      webSetStatus(web, 600),
      webSetStatus(web, 200.5),
      webWriteResponse(web, 101, 'x'),
      // @ts-expect-error no text
      webWrite(web, 5),
      // @ts-expect-error no request
      webWrite(wrong, 'x'),
      // @ts-expect-error no request
      webFinalize(null),
    ])
    expect(codes).toEqual(Array.from({ length: 7 }, () => BAD_ARGS))
  })

  it('a connection is no request that can be answered', async () => {
    const codes = deferred<number[]>()
    const { port } = await serve(engine, (web) => {
      codes.resolve([webWriteResponse(web, 200, 'x'), webWrite(web, 'x'), webAddHeader(web, 'X', 'y')])
      return webSocketRun(web.webSocket, () => {})
    })
    const client = await RawClient.open(port)
    expect(await codes.promise).toEqual([BAD_STATE, BAD_STATE, BAD_STATE])
    client.destroy()
  })

  it('a peer that reads slowly: -41 until it has read, everything arrives in order, little is kept', async () => {
    const total = 64 << 20
    const chunk = Buffer.alloc(1 << 20, 'x')
    let refused = 0
    let written = 0
    const { port } = await serve(engine, async (web) => {
      while (written < total) {
        const code = webWrite(web, chunk)
        if (code === chunk.length) written += code
        else {
          expect(code).toBe(WOULD_BLOCK)
          refused++
          expect(await webFlush(web)).toBe(0)
        }
      }
    })
    const client = await RawClient.connect(port)
    client.socket.removeAllListeners('data')
    client.socket.pause()
    client.send(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'))
    // The action stands still, far from its end.
    await standstill(() => written)
    expect(written).toBeLessThan(total / 2)
    let received = 0
    client.socket.on('data', (bytes) => (received += bytes.length))
    client.socket.resume()
    await client.until(() => client.ended)
    expect(received).toBeGreaterThan(total)
    expect([written, refused > 0]).toEqual([total, true])
  })

  it('the address of the peer is known when the answer has gone, too', async () => {
    const remote = deferred<string>()
    const { port } = await serve(engine, (web) => {
      webWriteResponseString(web, 200, 'done')
      setImmediate(() => remote.resolve(web.remote))
    })
    expect((await ask(port, '/')).status).toBe(200)
    expect(await remote.promise).toBe('127.0.0.1')
  })

  it('a part may be changed by who has written it, once it may be written on', async () => {
    const size = 8 << 20
    const { port } = await serve(engine, async (web) => {
      const part = Buffer.alloc(size, 'a')
      webAddHeader(web, 'Content-Length', String(2 * size))
      webWrite(web, part)
      // uWebSockets.js has taken what the kernel does, and a copy of the rest; node waits.
      await webFlush(web)
      part.fill('b')
      webWrite(web, part)
      if (engine === 'uws') part.fill('c')
    })
    const { body } = await ask(port, '/')
    expect(body.length).toBe(2 * size)
    expect([
      body.subarray(0, size).every((byte) => byte === 97),
      body.subarray(size).every((byte) => byte === 98),
    ]).toEqual([true, true])
  })

  it.each([204, 304])('%d has no body and no length, however it is given', async (status) => {
    for (const action of [
      (web: Web) => webWriteResponseString(web, status, 'a body'),
      (web: Web) => webWriteResponseString(web, status, ''),
      (web: Web) => webWriteJson(web, { a: 1 }, status),
      (web: Web) => {
        webSetStatus(web, status)
        webWrite(web, 'a body')
      },
      (web: Web) => {
        webSetStatus(web, status)
        webAddHeader(web, 'Content-Length', '5')
        webFinalize(web)
      },
    ]) {
      const { port } = await serve(engine, action)
      const client = await RawClient.connect(port)
      const request = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      client.send(request)
      const first = await client.response()
      expect([first.status, /^(content-length|transfer-encoding):/im.test(first.head)]).toEqual([status, false])
      // What comes next is the next answer.
      client.send(request)
      expect((await client.response()).status).toBe(status)
      client.destroy()
    }
  })

  it('a Content-Length that is not true: a whole answer mends it, parts keep to it, and what is short ends the connection', async () => {
    const json = await answered((web) => [webAddHeader(web, 'Content-Length', '3'), webWriteJson(web, { a: 1 })])
    expect([json.headers['content-length'], json.body]).toEqual(['7', '{"a":1}'])
    const none = await answered((web) => [webAddHeader(web, 'content-length', '10'), webFinalize(web)])
    expect([none.headers['content-length'], none.body]).toEqual(['0', ''])
    const long = await answered((web) => [
      webAddHeader(web, 'content-length', '3'),
      webWrite(web, 'abcd'),
      webWrite(web, 'ab'),
      webWrite(web, 'cd'),
      webWrite(web, 'c'),
      webWrite(web, 'd'),
    ])
    expect([long.codes, long.headers['content-length'], long.headers['transfer-encoding'], long.body]).toEqual([
      [0, -40, 2, -40, 1, BAD_STATE],
      '3',
      undefined,
      'abc',
    ])
    await expect(
      answered((web) => {
        webAddHeader(web, 'Content-Length', '10')
        webWrite(web, 'abc')
      }),
    ).rejects.toThrow(/aborted|hang up|ECONNRESET/)
    const refused = await answered((web) => [
      webAddHeader(web, 'Content-Length', 'abc'),
      webAddHeader(web, 'Content-Length', '-5'),
      webAddHeader(web, 'Transfer-Encoding', 'chunked'),
      webWriteResponseString(web, 200, 'fine'),
    ])
    expect([refused.codes, refused.body]).toEqual([[BAD_ARGS, BAD_ARGS, BAD_ARGS, 0], 'fine\n'])
  })

  it('a 500 has nothing of the answer that it stands for', async () => {
    const { port } = await serve(engine, (web) => {
      webAddHeader(web, 'Content-Encoding', 'br')
      webAddHeader(web, 'Cache-Control', 'max-age=1000')
      throw new Error('in the action')
    })
    const failed = await ask(port, '/')
    expect([failed.status, failed.headers['content-encoding'], failed.headers['cache-control']]).toEqual([
      500,
      undefined,
      undefined,
    ])
  })

  it('an action that returns the refusal of its own answer is a 500, not a word about WebSockets', async () => {
    const { port } = await serve(engine, (web) => webRedirect(web, 303, 'http://x\r\nX: y'))
    const { status, body } = await ask(port, '/')
    expect([status, String(body)]).toEqual([500, 'Internal Server Error\n'])
  })

  it('a body is read as often as it is asked for', async () => {
    const { port } = await serve(engine, async (web) => {
      const bodies = [await webReadBody(web), await webReadBody(web)]
      webWriteResponseString(web, 200, bodies.join(' '))
    })
    expect(String((await ask(port, '/', { method: 'POST', body: 'hi' })).body)).toBe('hi hi\n')
  })

  it('an Upgrade to something else is a plain request', async () => {
    const { port } = await serve(engine, async (web) => {
      webWriteResponseString(web, 200, String((await webReadBody(web))?.length))
    })
    const headers = {
      'Connection': 'Upgrade, HTTP2-Settings',
      'Upgrade': 'h2c',
      'HTTP2-Settings': 'AAMAAABkAAQAoAAAAAIAAAAA',
    }
    const { status, body } = await ask(port, '/', { headers })
    expect([status, String(body)]).toEqual([200, '0\n'])
  })

  it.each([1, 3])('a wait for the last of %d parts ends with it', async (parts) => {
    const flushed = deferred<number>()
    const part = Buffer.alloc(8 << 20)
    const { port } = await serve(engine, async (web) => {
      webAddHeader(web, 'Content-Length', String(parts * part.length))
      for (let i = 1; i < parts; i++) {
        webWrite(web, part)
        await webFlush(web)
      }
      webWrite(web, part)
      flushed.resolve(await webFlush(web))
    })
    expect((await ask(port, '/')).body.length).toBe(parts * part.length)
    expect(await flushed.promise).toBe(BAD_STATE)
  })

  it('a peer that goes while it is written to: the flush resolves with -14', async () => {
    const result = deferred<number>()
    let written = 0
    const { port } = await serve(engine, async (web) => {
      for (;;) {
        const code = webWrite(web, Buffer.alloc(1 << 20))
        if (code > 0) written += code
        else if ((await webFlush(web)) !== 0) return result.resolve(BAD_STATE)
      }
    })
    const client = await RawClient.connect(port)
    client.socket.pause()
    client.send(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    await standstill(() => written)
    client.reset()
    expect(await result.promise).toBe(BAD_STATE)
  })
})
