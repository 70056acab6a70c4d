import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ClientOptions, type RawData, WebSocket } from 'ws'
import { engines, LARGE_TEXT, report, serve, type Server, someBytes, START, TEXTS } from './support.ts'

/** What ws has emitted, in the order of arrival. */
class Client {
  readonly ws: WebSocket
  readonly messages: (string | Buffer)[] = []
  #wake = (): void => {}

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    this.ws = new WebSocket(url, protocols, { maxPayload: 64 << 20, ...options })
    this.ws.on('message', (data, isBinary) => {
      this.messages.push(isBinary ? toBuffer(data) : toBuffer(data).toString())
      this.#wake()
    })
    this.ws.on('close', () => this.#wake())
  }

  static async open(...args: ConstructorParameters<typeof Client>): Promise<Client> {
    const client = new Client(...args)
    opened.add(client)
    await once(client.ws, 'open')
    return client
  }

  /** The next message; rejects when the connection has ended instead. */
  async next(): Promise<string | Buffer> {
    for (;;) {
      const message = this.messages.shift()
      if (message !== undefined) return message
      if (this.ws.readyState === WebSocket.CLOSED) throw new Error('closed before the message came')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Code and reason of the server's Close frame: ws has 1005 and 1006 of its own where there is none. */
  closed(): Promise<{ code: number; reason: string }> {
    return new Promise((resolve) => {
      this.ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
  }
}

const toBuffer = (data: RawData): Buffer =>
  Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)

/** What ws says when it is not let in. */
function refusal(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<string> {
  const { ws } = new Client(url, protocols, options)
  return new Promise((resolve, reject) => {
    ws.once('error', (error) => resolve(error.message))
    ws.once('open', () => reject(new Error('the server let it in')))
  })
}

const opened = new Set<Client>()

describe.each(engines)('npm ws and the %s engine', (engine) => {
  let server: Server
  let echo: string
  beforeAll(async () => {
    server = await serve(engine)
    echo = `${server.url}/echo`
  }, START)
  afterEach(() => {
    for (const { ws } of opened) ws.terminate()
    opened.clear()
  })
  afterAll(() => server.stop(), START)

  it.each(Object.entries(TEXTS))('text: %s', async (_name, text) => {
    const client = await Client.open(echo)
    client.ws.send(text)
    expect(await client.next()).toBe(text)
  })

  it.each([0, 1, 125, 126, 65535, 65536, 300_000])('binary: %i bytes', async (length) => {
    const client = await Client.open(echo)
    const bytes = someBytes(length)
    client.ws.send(bytes)
    const answer = await client.next()
    expect(Buffer.isBuffer(answer) && answer.equals(bytes)).toBe(true)
  })

  it('a message in fragments, cut inside a character and with a ping between', async () => {
    const client = await Client.open(echo)
    const text = Buffer.from('a 🧵 of fragments')
    const pong = once(client.ws, 'pong')
    client.ws.send(text.subarray(0, 4), { binary: false, fin: false })
    client.ws.ping('between')
    client.ws.send(Buffer.alloc(0), { fin: false })
    client.ws.send(text.subarray(4), { fin: true })
    expect(await client.next()).toBe('a 🧵 of fragments')
    expect(String((await pong)[0])).toBe('between')
  })

  it('a binary message in a hundred fragments', async () => {
    const client = await Client.open(echo)
    const bytes = someBytes(100_000)
    for (let i = 0; i < 100; i++) client.ws.send(bytes.subarray(i * 1000, (i + 1) * 1000), { fin: i === 99 })
    const answer = await client.next()
    expect(Buffer.isBuffer(answer) && answer.equals(bytes)).toBe(true)
  })

  it('16 MB of text', async () => {
    const client = await Client.open(echo)
    const start = performance.now()
    client.ws.send(LARGE_TEXT)
    const answer = await client.next()
    report('ws', '16 MB of text', performance.now() - start)
    expect(answer === LARGE_TEXT).toBe(true)
  })

  it('16 MB of binary', async () => {
    const client = await Client.open(echo)
    const bytes = someBytes(16 << 20)
    const start = performance.now()
    client.ws.send(bytes)
    const answer = await client.next()
    report('ws', '16 MB of binary', performance.now() - start)
    expect(Buffer.isBuffer(answer) && answer.equals(bytes)).toBe(true)
  })

  it('a ping brings its payload back', async () => {
    const client = await Client.open(echo)
    for (const payload of [Buffer.alloc(0), Buffer.from('payload'), someBytes(125)]) {
      const pong = once(client.ws, 'pong')
      client.ws.ping(payload)
      expect((await pong)[0]).toEqual(payload)
    }
  })

  it('1,000 messages in order', async () => {
    const client = await Client.open(echo)
    const sent = Array.from({ length: 1000 }, (_, i) => `message ${i}`)
    for (const text of sent) client.ws.send(text)
    const received: unknown[] = []
    for (const _ of sent) received.push(await client.next())
    expect(received).toEqual(sent)
  })

  it('Close comes back with code and reason', async () => {
    const client = await Client.open(echo)
    client.ws.close(4001, 'genug für heute')
    expect(await client.closed()).toEqual({ code: 4001, reason: 'genug für heute' })
  })

  it('Close without a code is answered without one', async () => {
    const client = await Client.open(echo)
    client.ws.close()
    expect(await client.closed()).toEqual({ code: 1005, reason: '' })
  })

  it('sub-protocol: the one that the server has', async () => {
    const client = await Client.open(echo, ['x', 'chat'])
    expect(client.ws.protocol).toBe('chat')
    expect((await Client.open(echo)).ws.protocol).toBe('')
  })

  it('sub-protocol: 400 when the server has none of them', async () => {
    expect(await refusal(echo, ['x', 'y'])).toBe('Unexpected server response: 400')
  })

  it('Origin: its own is let in, others get 403', async () => {
    const own = `http://127.0.0.1:${server.port}`
    await Client.open(echo, [], { origin: own })
    for (const origin of ['http://elsewhere.example', `http://127.0.0.1:${server.port + 1}`, 'null']) {
      expect(await refusal(echo, [], { origin })).toBe('Unexpected server response: 403')
    }
  })

  it("the skill's handler at /ws/", async () => {
    const client = await Client.open(`${server.url}/ws/`)
    client.ws.send('hello')
    expect(await client.next()).toBe('echo: hello')
  })

  it('a server that stops says 1001 to every client, and takes no new one', async () => {
    const stopping = await serve(engine)
    const clients = await Promise.all(Array.from({ length: 20 }, () => Client.open(`${stopping.url}/echo`)))
    const ends = clients.map((client) => client.closed())
    await stopping.stop()
    for (const end of ends) expect(await end).toEqual({ code: 1001, reason: '' })
    expect(await refusal(`${stopping.url}/echo`)).toContain('ECONNREFUSED')
  })
})
