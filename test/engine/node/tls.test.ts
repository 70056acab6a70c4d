import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import echo from '../../../samples/echo/echo.ts'
import { parts } from '../../../lib/parts.ts'
import { createHost } from '../../../lib/web/host.ts'

const folder = join(import.meta.dirname, '../../support/tls')

it('a TLS listener: text, 4 MB of binary, pings and Close over wss', async () => {
  const host = createHost(
    {
      web: {
        engine: 'node',
        listen: 'https://127.0.0.1:0',
        limits: { maxMessage: '64MB' },
        routes: [{ handler: 'action' }],
      },
      tls: { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') },
    },
    parts,
  )
  host.addAction('/', echo)
  expect(await host.start()).toBe(0)
  expect(host.listening[0]?.url).toMatch(/^https:/)
  const client = new WebSocket(`wss://127.0.0.1:${host.listening[0]?.port}/`, {
    ca: readFileSync(join(folder, 'cert.pem')),
  })
  const received: Buffer[] = []
  let wake = (): void => {}
  client.on('message', (data) => {
    if (Buffer.isBuffer(data)) received.push(data)
    wake()
  })
  const until = async (count: number): Promise<void> => {
    while (received.length < count) await new Promise<void>((resolve) => (wake = resolve))
  }
  await new Promise((resolve) => client.once('open', resolve))
  const big = Buffer.alloc(4 << 20, 'binary')
  // Many small messages in one segment: their answers share one write.
  for (let i = 0; i < 100; i++) client.send(`message ${i}`)
  client.send(big)
  await until(101)
  expect(received.slice(0, 100).map(String)).toEqual(Array.from({ length: 100 }, (_, i) => `message ${i}`))
  expect(received[100]?.equals(big)).toBe(true)
  const pong = new Promise<Buffer>((resolve) => client.once('pong', resolve))
  client.ping('are you there')
  expect((await pong).toString()).toBe('are you there')
  const closed = new Promise<[number, string]>((resolve) =>
    client.once('close', (code, reason) => resolve([code, reason.toString()])),
  )
  client.close(4001, 'bye')
  expect(await closed).toEqual([4001, 'bye'])
  await host.stop()
})
