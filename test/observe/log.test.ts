import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Config } from '../../include-types/web.ts'
import type * as observatory from '../../lib/observe/observatory.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { webSocketFree } from '../../lib/websock/close.ts'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

// The suite has all hosts log their connections: this is what users have.
const { createObservatory } = await vi.importActual<typeof observatory>('../../lib/observe/observatory.ts')

const hosts: Host[] = []
const clients: RawClient[] = []
const lines: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = []

beforeEach(() => {
  lines.length = 0
  rSetLogSink((_level, source, message, fields) => {
    if (source === 'conn') lines.push({ message, fields: fields ?? {} })
  })
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await Promise.all(hosts.splice(0).map((host) => host.free()))
  rSetLogSink(null)
})

describe.each(engines)('the log of a host on the %s engine', (engine) => {
  async function serve(observe: NonNullable<Config['observe']>): Promise<{ host: Host; port: number }> {
    const routes = [{ match: '/', handler: 'action' as const }]
    const limits = { maxMessage: '1MB', maxBackpressure: '64MB' }
    const host = createHost(
      { observe, web: { engine, listen: '127.0.0.1:0', routes, limits } },
      { ...parts, createObservatory },
    )
    hosts.push(host)
    host.addAction('/ws', ({ webSocket }) => webSocketRun(webSocket, () => {}))
    expect(await host.start()).toBe(0)
    return { host, port: host.listening[0]?.port ?? 0 }
  }

  async function knock(port: number, path: string): Promise<{ client: RawClient; status: number }> {
    const client = await RawClient.connect(port)
    clients.push(client)
    client.send(handshake(path))
    return { client, status: (await client.response()).status }
  }

  it('has nothing of connections where the config says so; they are counted all the same', async () => {
    const { host, port } = await serve({ connections: false })
    expect((await knock(port, '/elsewhere')).status).toBe(404)
    expect((await knock(port, '/ws')).status).toBe(101)
    await host.free()
    expect(lines).toEqual([])
    const page = (await host.report('/metrics'))?.text ?? ''
    expect(page).toMatch(/^fiberws_opens_total\{.*\} 1$/m)
    expect(page).toMatch(/^fiberws_closes_total\{.*\} 1$/m)
    expect(page).toMatch(/^fiberws_refusals_total\{.*\} 1$/m)
  })

  it('has the first 200 characters of a path, of who is let in and of who is not', async () => {
    const { port } = await serve({ connections: true })
    const rest = (path: string): string => path + 'x'.repeat(200 - path.length)
    const [exact, longer, refused] = [rest('/ws/a'), `${rest('/ws/b')}y`, `${rest('/no')}y`]
    for (const path of [exact, longer, refused]) await knock(port, path)
    const paths = lines.filter(({ message }) => message !== 'close').map(({ fields }) => fields['path'])
    expect(paths).toEqual([exact, `${rest('/ws/b')}…`, `${rest('/no')}…`])
  })

  it('says how long a connection was open, and what its peer had not read', async () => {
    const { host, port } = await serve({ connections: true })
    const { client } = await knock(port, '/ws')
    client.socket.pause()
    const [ws] = host.sockets
    if (ws === undefined) throw new Error('no connection')
    // More than any kernel takes.
    for (let i = 0; i < 30; i++) webSocketSendString(ws, 'x'.repeat(1_000_000))
    const waits = ws.transport?.buffered()
    // As long as the clock of the connections takes to go on.
    while (ws.context.wheel.touch() === ws.openedAt) await new Promise((resolve) => setImmediate(resolve))
    webSocketFree(ws)
    const [closed] = lines.filter(({ message }) => message === 'close').map(({ fields }) => fields)
    expect(closed).toMatchObject({ reason: 'Dropped', buffered: waits })
    expect(waits).toBeGreaterThan(0)
    expect(Number(closed?.['age'])).toBeGreaterThan(0)
  })
})
