import { expect, it } from 'vitest'
import type { Web } from '../../include-types/web.ts'
import {
  webGetHeader,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_MSG_BINARY,
  WS_MSG_TEXT,
  type WebSocketData,
  webSocketFlush,
  webSocketFree,
  webSocketRun,
  webSocketSendBlock,
  webSocketSendClose,
} from '../../lib/index.ts'
import { start as startHost } from '../support/server.ts'
import { commandOf, Program, serve } from './support.ts'

/** Starts a client sample for a server on this machine. */
const start = (sample: string, port: number): Program =>
  new Program(commandOf(sample).replace(/(?<=127\.0\.0\.1:)\d+/, String(port)))

it('client: comes back when its server does', { timeout: 40_000 }, async () => {
  const first = serve('session', 'node')
  const port = await first.port()
  const client = start('client', port)
  await client.until(/connected to ws:.*\n.*< log in first/)
  client.child.stdin.write('login ada\n')
  await client.until(/< welcome ada/)

  first.child.kill('SIGKILL')
  await client.until(/closed with status 1006/)
  client.child.stdin.write('hello\n')
  await client.until(/not sent: there is no connection/)
  const second = new Program(commandOf('session'), { more: ['--engine', 'node', '--listen', `127.0.0.1:${port}`] })
  expect(await second.port()).toBe(port)
  await client.until(/closed with[^]*connected to ws:/)
  client.child.stdin.write('login bob\n')
  await client.until(/< welcome bob/)

  // Ctrl-C while it waits for the next attempt.
  await second.stop()
  await client.until(/closed with status 1001/)
  const asked = performance.now()
  await client.stop('SIGINT')
  expect(performance.now() - asked).toBeLessThan(1000)
})

it.concurrent('client: a fresh token for each attempt, and an orderly end', async () => {
  const tokens: (string | null)[] = []
  let ended: (result: number) => void
  const end = new Promise<number>((resolve) => (ended = resolve))
  const { host, port } = await startHost('node', async (web: Web) => {
    const isFirst = tokens.push(webGetHeader(web, 'authorization')) === 1
    const result = await webSocketRun(web.webSocket, (ws, event) => {
      if (isFirst && event === WS_EVENT_OPEN) webSocketFree(ws)
    })
    if (!isFirst) ended(result)
  })
  const client = start('client', port)
  await client.until(/closed with status 1006[^]*connected to/)
  await client.stop('SIGTERM')
  expect(await end).toBe(0)
  expect(tokens).toEqual([expect.stringMatching(/^Bearer \S{36}$/), expect.stringMatching(/^Bearer \S{36}$/)])
  expect(tokens[0]).not.toBe(tokens[1])
  await host.stop()
})

it.concurrent('client echo: everything as it came, and 0 after an orderly close', async () => {
  const small = ['grüße', '', Buffer.alloc(0), Buffer.from([0, 255])]
  const large = [Buffer.alloc(5 << 20, 'binary, '), ...Array.from({ length: 5 }, (_, i) => Buffer.alloc(1 << 20, i))]
  const sent = [...small, ...large]
  const received: WebSocketData[] = []
  const action = (web: Web): Promise<number> =>
    webSocketRun(web.webSocket, async (ws, event, buf) => {
      if (event === WS_EVENT_OPEN) {
        for (const msg of sent) webSocketSendBlock(ws, typeof msg === 'string' ? WS_MSG_TEXT : WS_MSG_BINARY, msg)
      }
      if (event !== WS_EVENT_MESSAGE) return
      // Reads nothing until all is sent: the client has to wait with what it sends back.
      if (received.push(buf) === 1) await webSocketFlush(ws)
      if (received.length === sent.length) webSocketSendClose(ws)
    })
  const { host, port } = await startHost('node', action, { limits: { maxBackpressure: '64MB', maxQueue: '1MB' } })
  const client = start('client echo', port)
  expect(await client.ended).toBe('exit code 0')
  expect(received.length).toBe(sent.length)
  // Bytes are compared at once, not one by one.
  for (const [i, msg] of sent.entries()) {
    const back = received[i] ?? null
    expect(typeof back).toBe(typeof msg)
    expect(back !== null && Buffer.from(msg).equals(Buffer.from(back))).toBe(true)
  }
  await host.stop()
})

it.concurrent('client echo: 1 when the connection is lost', async () => {
  const { host, port } = await startHost('node', (web) =>
    webSocketRun(web.webSocket, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketFree(ws)
    }),
  )
  const lost = start('client echo', port)
  expect(await lost.ended).toBe('exit code 1')
  expect(lost.said).toContain('echo error Connection lost')
  await host.stop()
})
