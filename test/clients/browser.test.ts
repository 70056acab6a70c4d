import { createServer } from 'node:http'
import { once } from 'node:events'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, launch } from './chromium.ts'
import { engines, report, serve, type Server, START, TEXTS } from './support.ts'

/** A message that the page makes for itself. */
type Made = { text: string; times: number } | { bytes: number; as: 'ArrayBuffer' | 'Blob' }

/** Runs in the page: sends one message, and tells what came back and how long that took. */
async function roundTrip({ url, made }: { url: string; made: Made }): Promise<{ type: string; ms: number }> {
  const socket = new WebSocket(url)
  if ('as' in made && made.as === 'ArrayBuffer') socket.binaryType = 'arraybuffer'
  await new Promise<unknown>((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('close', ({ code }) => reject(new Error(`not opened: ${code}`)))
  })
  const bytes = new Uint8Array('bytes' in made ? made.bytes : 0)
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 7) % 251
  const message = 'text' in made ? made.text.repeat(made.times) : made.as === 'Blob' ? new Blob([bytes]) : bytes.buffer
  const start = performance.now()
  socket.send(message)
  const answer = await new Promise<unknown>((resolve, reject) => {
    socket.addEventListener('message', ({ data }) => resolve(data))
    socket.addEventListener('close', ({ code }) => reject(new Error(`closed with ${code}`)))
  })
  const ms = performance.now() - start
  socket.close()
  if (typeof answer === 'string') return { type: answer === message ? 'the same text' : 'another text', ms }
  const buffer = answer instanceof Blob ? await answer.arrayBuffer() : answer
  const received = buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array()
  const same = received.length === bytes.length && received.every((byte, at) => byte === bytes[at])
  return { type: `${same ? 'the same' : 'another'} ${answer instanceof Blob ? 'Blob' : 'ArrayBuffer'}`, ms }
}

/** What Chromium notes when it is not let in; the page itself may only know 1006. */
async function refusal(page: Page, url: string, protocols: string[] = []): Promise<{ note: string; code: number }> {
  const noted = new Promise<string>((resolve) => {
    page.once('websocket', (socket) => socket.once('socketerror', resolve))
  })
  const code = await page.evaluate(
    ([to, offered]) =>
      new Promise<number>((resolve) => {
        const socket = new WebSocket(to, offered)
        socket.addEventListener('open', () => resolve(0))
        socket.addEventListener('close', (event) => resolve(event.code))
      }),
    [url, protocols] as const,
  )
  return { note: code === 0 ? 'let in' : await noted, code }
}

describe.skipIf(!installed).each(engines)('Chromium and the %s engine', (engine) => {
  let server: Server
  let browser: Browser
  let page: Page
  let echo: string
  beforeAll(async () => {
    server = await serve(engine)
    echo = `${server.url}/echo`
    browser = await launch()
  }, START)
  afterAll(async () => {
    await browser.close()
    await server.stop()
  }, START)

  /** The sample page, loaded and connected. */
  async function openSample(from: Server): Promise<void> {
    page = await browser.newPage()
    const response = await page.goto(`http://127.0.0.1:${from.port}/`)
    expect(response?.status()).toBe(200)
    await page.getByRole('status').getByText('open', { exact: true }).waitFor()
  }

  describe('the sample page', () => {
    const line = (text: string | RegExp): Promise<void> => page.getByRole('log').getByText(text).waitFor()
    const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()

    it('sends text and binary, and logs sizes and times', async () => {
      await openSample(server)
      await line('open, sub-protocol chat')
      for (const text of ['Hello', '世界 <b>🧵</b>', '']) {
        await page.getByLabel('Text').fill(text)
        await press('Send')
        await line(new RegExp(`← text, ${Buffer.byteLength(text)} B, '${text}', round trip \\d+\\.\\d ms$`))
      }
      await press('Send 1 KB binary')
      await line(/← binary, 1\.0 KB, round trip \d+\.\d ms$/)
    })

    it('sends 16 MB', async () => {
      await openSample(server)
      await press('Send 16 MB')
      await line(/← binary, 16 MB, round trip \d+\.\d ms$/)
    })

    it('disconnects, connects again, and works again', async () => {
      await openSample(server)
      await press('Disconnect')
      await line("closed, code 1000, reason 'closed by the page'")
      expect(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true)
      await press('Connect')
      await page.getByRole('button', { name: 'Send', exact: true }).click()
      await line(/← text, 13 B, 'Hello, wörld', round trip/)
    })

    it('says so when the server stops', async () => {
      const stopping = await serve(engine)
      await openSample(stopping)
      await stopping.stop()
      await line('closed, code 1001, no reason')
      expect(await page.getByRole('status').textContent()).toBe('closed')
    })
  })

  // A page can neither ping nor choose its fragments: that is for the other clients.
  describe('a script of a page', () => {
    beforeAll(() => openSample(server), START)

    it.each(Object.entries(TEXTS))('text: %s', async (_name, text) => {
      const { type } = await page.evaluate(roundTrip, { url: echo, made: { text, times: 1 } })
      expect(type).toBe('the same text')
    })

    it.each([0, 1, 125, 126, 65535, 65536, 300_000])('binary: %i bytes', async (bytes) => {
      for (const as of ['ArrayBuffer', 'Blob'] as const) {
        const { type } = await page.evaluate(roundTrip, { url: echo, made: { bytes, as } })
        expect(type).toBe(`the same ${as}`)
      }
    })

    it('16 MB of text', async () => {
      const made = { text: 'abcdé€🧵fg\n', times: 1 << 20 }
      const { type, ms } = await page.evaluate(roundTrip, { url: echo, made })
      report('Chromium', '16 MB of text', ms)
      expect(type).toBe('the same text')
    })

    it('16 MB of binary', async () => {
      const made = { bytes: 16 << 20, as: 'ArrayBuffer' } as const
      const { type, ms } = await page.evaluate(roundTrip, { url: echo, made })
      report('Chromium', '16 MB of binary', ms)
      expect(type).toBe('the same ArrayBuffer')
    })

    it('1,000 messages in order', async () => {
      const received = await page.evaluate(
        (url) =>
          new Promise<unknown[]>((resolve, reject) => {
            const answers: unknown[] = []
            const socket = new WebSocket(url)
            socket.addEventListener('open', () => {
              for (let i = 0; i < 1000; i++) socket.send(`message ${i}`)
            })
            socket.addEventListener('message', ({ data }) => {
              if (answers.push(data) === 1000) resolve(answers)
            })
            socket.addEventListener('close', ({ code }) => reject(new Error(`closed with ${code}`)))
          }),
        echo,
      )
      expect(received).toEqual(Array.from({ length: 1000 }, (_, i) => `message ${i}`))
    })

    it('Close comes back with code and reason', async () => {
      const end = await page.evaluate(
        (url) =>
          new Promise((resolve) => {
            const socket = new WebSocket(url)
            socket.addEventListener('open', () => socket.close(4001, 'genug für heute'))
            socket.addEventListener('close', ({ code, reason, wasClean }) => resolve({ code, reason, wasClean }))
          }),
        echo,
      )
      expect(end).toEqual({ code: 4001, reason: 'genug für heute', wasClean: true })
    })

    it('sub-protocol: the one that the server has; 400 when it has none of them', async () => {
      const chosen = await page.evaluate(
        (url) =>
          new Promise((resolve) => {
            const socket = new WebSocket(url, ['x', 'chat'])
            socket.addEventListener('open', () => resolve(socket.protocol))
            socket.addEventListener('close', ({ code }) => resolve(code))
          }),
        echo,
      )
      expect(chosen).toBe('chat')
      const { note, code } = await refusal(page, echo, ['x', 'y'])
      expect(note).toContain('Unexpected response code: 400')
      expect(code).toBe(1006)
    })

    it("the skill's handler at /ws/", async () => {
      const answer = await page.evaluate(
        (url) =>
          new Promise((resolve) => {
            const socket = new WebSocket(url)
            socket.addEventListener('open', () => socket.send('hello'))
            socket.addEventListener('message', ({ data }) => resolve(data))
            socket.addEventListener('close', ({ code }) => resolve(code))
          }),
        `${server.url}/ws/`,
      )
      expect(answer).toBe('echo: hello')
    })

    it('a server that stops says 1001 to every connection', async () => {
      const stopping = await serve(engine)
      await openSample(stopping)
      const connections = await page.evaluateHandle(async (url) => {
        // Chromium slows down whoever opens more than 16 at once.
        const sockets = Array.from({ length: 10 }, () => new WebSocket(url))
        await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.addEventListener('open', resolve))))
        const ends = sockets.map(
          (socket) =>
            new Promise((resolve) => {
              socket.addEventListener('close', ({ code, wasClean }) => resolve({ code, wasClean }))
            }),
        )
        return { ended: Promise.all(ends) }
      }, `${stopping.url}/echo`)
      await stopping.stop()
      const ends = await connections.evaluate(({ ended }) => ended)
      expect(ends).toEqual(Array.from({ length: 10 }, () => ({ code: 1001, wasClean: true })))
    })
  })

  it('a page of another origin is not let in', async () => {
    const elsewhere = createServer((_req, res) => {
      res.setHeader('Content-Type', 'text/html')
      res.end('<!doctype html><title>elsewhere</title>')
    })
    elsewhere.listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    const address = elsewhere.address()
    const port = typeof address === 'object' ? address?.port : 0
    page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${port}/`)
    const { note, code } = await refusal(page, echo)
    elsewhere.closeAllConnections()
    elsewhere.close()
    expect(note).toContain('Unexpected response code: 403')
    expect(code).toBe(1006)
  })
})
