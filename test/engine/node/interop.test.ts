import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { acceptResponse, type Compression, createOffer } from '../../../lib/engine/extensions.ts'
import { NodeTransport } from '../../../lib/engine/node/transport.ts'
import { WS_EVENT_MESSAGE } from '../../../lib/websock/constants.ts'
import { webSocketRun } from '../../../lib/websock/run.ts'
import { webSocketSendBlock } from '../../../lib/websock/send.ts'
import { Random } from '../../fuzz/random.ts'
import { KEY } from '../../support/raw.ts'
import { serve } from '../../support/server.ts'
import { combinations, Ears, messages, same, WsPeer } from './support.ts'

const LONGEST = 200 << 10
const modes = [true, 'takeover'] as const

describe.each(modes)('permessage-deflate against ws, compression: %s', (mode) => {
  const takeover = mode === 'takeover'

  it('as a server, with every combination of parameters, messages both ways', { timeout: 120_000 }, async () => {
    const { port } = await serve(
      'node',
      (web) =>
        webSocketRun(web.webSocket, (ws, event, buf) => {
          if (event === WS_EVENT_MESSAGE) webSocketSendBlock(ws, ws.type, buf)
        }),
      { webSockets: { compression: mode }, limits: { maxBackpressure: 'unlimited' } },
    )
    for (const [i, options] of combinations.entries()) {
      const random = Random.of(takeover ? 1 : 2, i)
      const peer = await WsPeer.open(port, options)
      expect(peer.socket.extensions).toBe('permessage-deflate')
      const sent = messages(random, 8, LONGEST)
      for (const message of sent) peer.socket.send(message)
      await peer.until(sent.length)
      expect(same(peer.messages, sent)).toBe(true)
      peer.socket.close(4000)
      expect(await peer.closed).toBe(4000)
    }
  })

  it('as a client, with every combination of parameters, messages both ways', { timeout: 120_000 }, async () => {
    for (const [i, options] of combinations.entries()) {
      const random = Random.of(takeover ? 3 : 4, i)
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: options })
      server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })))
      await once(server, 'listening')
      const { transport, ears, compression } = await connect(server, takeover)
      expect(compression.takeoverIn).toBe(takeover && options.serverNoContextTakeover !== true)
      expect(compression.takeoverOut).toBe(takeover && options.clientNoContextTakeover !== true)
      expect(compression.bits).toBe(options.clientMaxWindowBits)
      const sent = messages(random, 8, LONGEST)
      for (const message of sent) {
        const binary = typeof message !== 'string'
        transport.send(message, Buffer.byteLength(message), binary ? 2 : 1, true)
      }
      await ears.until(() => ears.messages.length === sent.length)
      expect(same(ears.messages, sent)).toBe(true)
      transport.abort()
      server.close()
      await once(server, 'close')
    }
  })

  it('many messages on one connection, each direction with its own window', { timeout: 60_000 }, async () => {
    const received: (string | Buffer)[] = []
    const random = Random.of(5, takeover ? 1 : 2)
    const [there, back] = [messages(random, 400, 20_000), messages(random, 400, 20_000)]
    const { port } = await serve(
      'node',
      (web) =>
        webSocketRun(web.webSocket, async (ws, event, buf) => {
          if (event !== WS_EVENT_MESSAGE) return
          const answer = back[received.length]
          received.push(buf ?? '')
          // The rest waits: the parser is paused and goes on inside of a chunk.
          if (received.length % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
          webSocketSendBlock(ws, typeof answer === 'string' ? 1 : 2, answer ?? '')
        }),
      { webSockets: { compression: mode }, limits: { maxQueue: '64K', maxBackpressure: 'unlimited' } },
    )
    const peer = await WsPeer.open(port, { threshold: 0 })
    for (const message of there) peer.socket.send(message)
    await peer.until(back.length)
    expect(same(received, there)).toBe(true)
    expect(same(peer.messages, back)).toBe(true)
    peer.socket.terminate()
  })
})

/** The client end of a connection: node's own handshake, our transport. */
async function connect(
  server: WebSocketServer,
  takeover: boolean,
): Promise<{ transport: NodeTransport; ears: Ears; compression: Compression }> {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const request = get({
    port: address.port,
    host: '127.0.0.1',
    headers: {
      'Connection': 'Upgrade',
      'Upgrade': 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': KEY,
      'Sec-WebSocket-Extensions': createOffer(takeover),
    },
  })
  const [answer, socket, head] = await new Promise<[IncomingMessage, Socket, Buffer]>((resolve) => {
    request.once('upgrade', (...upgrade: [IncomingMessage, Socket, Buffer]) => resolve(upgrade))
  })
  const extensions = answer.headers['sec-websocket-extensions']
  const compression = acceptResponse(extensions, takeover)
  if (compression === null || compression === 'error') throw new Error(`not negotiated: ${extensions}`)
  const transport = new NodeTransport(socket, head, true, null, compression)
  const ears = new Ears()
  transport.setReceiver(ears)
  return { transport, ears, compression }
}
