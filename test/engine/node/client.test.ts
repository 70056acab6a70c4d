import http from 'node:http'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { nodeClient } from '../../../lib/engine/node/client.ts'
import type { Dialed, DialFailure, DialOptions } from '../../../lib/engine/port.ts'
import { closedPort, RawServer } from '../../support/raw-server.ts'

const dial = (url: string, some: Partial<DialOptions> = {}): Promise<Dialed | DialFailure> =>
  nodeClient.dial({
    url: new URL(url),
    headers: [],
    protocols: [],
    compression: false,
    tls: {},
    agent: null,
    signal: new AbortController().signal,
    ...some,
  })

const httpUrl = (server: RawServer): string => `http://127.0.0.1:${server.port}/`

/** An agent whose connections are made by a function. */
class OwnAgent extends http.Agent {
  readonly #make: () => Duplex

  constructor(make: () => Duplex) {
    super()
    this.#make = make
  }

  override createConnection(): Duplex {
    return this.#make()
  }
}

describe('dial', () => {
  it('a connection: what was sent, what was agreed, whose address it is', async () => {
    const server = await RawServer.listen()
    const dialing = dial(httpUrl(server), { protocols: ['a', 'b'], headers: [['X-A', '1'], ['X-A', '2']] }) // prettier-ignore
    const peer = await server.next()
    const { key, all } = await peer.accept({ 'Sec-WebSocket-Protocol': 'b' })
    expect(all('X-A')).toEqual(['1', '2'])
    const dialed = await dialing
    if (!('transport' in dialed)) throw new Error(dialed.message)
    expect(dialed).toMatchObject({ key, protocol: 'b', remoteAddress: '127.0.0.1' })
    expect(dialed.transport.canPause).toBe(true)
    // Clients join no topics.
    expect(dialed.transport.subscribe('topic')).toBe(false)
    dialed.transport.abort()
    await peer.until(() => peer.ended)
  })

  it('a stream that is no socket has no address', async () => {
    const server = await RawServer.listen()
    const agent = new OwnAgent(() => {
      const tcp = connect(server.port, '127.0.0.1')
      return Duplex.from({ readable: tcp, writable: tcp })
    })
    const dialing = dial('http://somewhere.invalid/', { agent })
    const peer = await server.next()
    await peer.accept()
    const dialed = await dialing
    if (!('transport' in dialed)) throw new Error(dialed.message)
    expect(dialed.remoteAddress).toBe('')
    dialed.transport.abort()
    await peer.until(() => peer.ended)
  })

  it('of several addresses that were tried, the message is that of the first', async () => {
    const port = await closedPort()
    const agent = new http.Agent({
      lookup: (_host, _options, done) =>
        done(null, [
          { address: '127.0.0.1', family: 4 },
          { address: '127.0.0.2', family: 4 },
          { address: '::1', family: 6 },
        ]),
    })
    expect(await dial(`http://somewhere.invalid:${port}/`, { agent })).toEqual({
      cause: 'connect',
      message: `connect ECONNREFUSED 127.0.0.1:${port}`,
      status: 0,
      headers: {},
      body: '',
    })
  })

  it.each<[string, () => Duplex, string]>([
    ['throws', () => { throw new Error('no connection today') }, 'no connection today'], // prettier-ignore
    ['throws what is no error', () => { throw 'text' }, 'text'], // prettier-ignore
    ['gives a stream that has failed', () => new Duplex({ read() { this.destroy(new Error('broken')) }, write() {} }), 'broken'], // prettier-ignore
  ])('never rejects: an agent that %s', async (_name, make, message) => {
    const failure = await dial('http://somewhere.invalid/', { agent: new OwnAgent(make) })
    expect(failure).toMatchObject({ cause: 'connect', message, status: 0 })
  })

  it('never rejects: a signal that was aborted before', async () => {
    const server = await RawServer.listen()
    const failure = await dial(httpUrl(server), { signal: AbortSignal.abort() })
    expect(failure).toMatchObject({ cause: 'connect', status: 0 })
  })

  it('a 101 that is not taken is let go before anything behind it is read', async () => {
    const server = await RawServer.listen()
    const dialing = dial(httpUrl(server))
    const peer = await server.next()
    await peer.accept({ 'Sec-WebSocket-Accept': 'x' }, Buffer.from([0x89, 0]))
    expect(await dialing).toMatchObject({ cause: 'answer', status: 101, message: 'Wrong Sec-WebSocket-Accept' })
    await peer.until(() => peer.ended)
    expect(peer.length).toBe(0)
  })

  it('a reset behind a 101 that is not taken is no uncaught error', async () => {
    const server = await RawServer.listen()
    const dialing = dial(httpUrl(server))
    const peer = await server.next()
    await peer.accept({ Upgrade: 'x' })
    peer.reset()
    expect(await dialing).toMatchObject({ cause: 'answer', status: 101 })
    await peer.until(() => peer.closed)
  })

  it('the body is cut at 4096 bytes, within a chunk as well as between', async () => {
    for (const chunks of [[5000], [4000, 96, 1], [4000, 97], [4095, 1], [1, 4094]]) {
      const server = await RawServer.listen()
      const dialing = dial(httpUrl(server))
      const peer = await server.next()
      await peer.request()
      const total = chunks.reduce((sum, size) => sum + size, 0)
      peer.send(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${total}\r\n\r\n`)
      for (const size of chunks) {
        peer.send('x'.repeat(size))
        await new Promise((resolve) => setImmediate(resolve))
      }
      const failure = await dialing
      expect('cause' in failure && failure.body).toBe('x'.repeat(Math.min(total, 4096)))
      await peer.until(() => peer.ended)
    }
  })

  it('4096 bytes are enough: the rest is not waited for', async () => {
    const server = await RawServer.listen()
    const dialing = dial(httpUrl(server))
    const peer = await server.next()
    await peer.request()
    peer.send(`HTTP/1.1 403 Forbidden\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(4096)}`)
    expect(await dialing).toMatchObject({ status: 403, body: 'x'.repeat(4096) })
    await peer.until(() => peer.ended)
  })
})
