import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import type { RouteConfig } from '../../include-types/web.ts'
import { parts } from '../../lib/parts.ts'
import { createHost } from '../../lib/web/host.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { Hosted, knock } from '../support/hosted.ts'
import { deferred } from '../support/memory.ts'
import { closedPort, RawServer } from '../support/raw-server.ts'
import { engines } from '../support/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'fiberws-host-'))
afterAll(() => rmSync(folder, { recursive: true }))

const route = (match: string, more: RouteConfig = {}): RouteConfig => ({ match, handler: 'action', ...more })

/** A module that is loaded when `loaded` resolves; `loads` resolves when somebody asks for it. */
function slowModule(name: string) {
  const [loads, loaded] = [deferred(), deferred()]
  Object.assign(globalThis, { [name]: () => (loads.resolve(), loaded.promise) })
  const file = join(folder, `${name}.mjs`)
  writeFileSync(file, `await globalThis.${name}()\nexport default () => {}`)
  return { loads, loaded, file }
}

describe.each(engines)('a host on the %s engine', (engine) => {
  it('limits.maxBuffered of a reload holds for what waits already', async () => {
    const limits = { maxMessage: '1MB', maxBackpressure: '8MB', maxBuffered: '64MB' }
    const hosted = await Hosted.start(engine, { limits })
    const peers = [await hosted.open('/a'), await hosted.open('/b')]
    for (const { client, ws } of peers) {
      client.socket.pause()
      while (webSocketSendString(ws, 'x'.repeat(500_000)) > 0);
    }
    expect(await hosted.reload({ limits: { ...limits, maxBuffered: '9MB' } })).toBe(0)
    while (hosted.host.pressure?.evicted === 0) await turn()
    expect(peers.filter(({ ws }) => ws.ending?.cause.reason === 'evicted').length).toBeGreaterThan(0)
    for (const { client } of peers) client.destroy()
  })

  it('a reload while it starts waits for the start', async () => {
    const { loads, loaded, file } = slowModule(`starts_${engine}`)
    const host = createHost({ web: { engine, listen: '127.0.0.1:0', routes: [route('/', { module: file })] } }, parts)
    const started = host.start()
    await loads.promise
    const reloaded = host.reload((settings) => ({ ...settings, maxBuffered: 12_345_678 }))
    loaded.resolve()
    expect([await started, await reloaded, host.error]).toEqual([0, 0, null])
    expect(host.pressure).toMatchObject({ limit: 12_345_678 })
    await host.free()
  })

  it('a reload that a stop overtakes changes nothing, and says so', async () => {
    const hosted = await Hosted.start(engine, { timeouts: { drain: 10 } })
    const { host } = hosted
    // Who does not answer keeps the stop waiting.
    const { client } = await hosted.open('/')
    const { settings } = host
    const { loads, loaded, file } = slowModule(`overtaken_${engine}`)
    const reloaded = hosted.reload({ routes: [route('/', { module: file })] })
    await loads.promise
    const stopped = host.stop()
    loaded.resolve()
    expect([await reloaded, host.error, host.settings === settings]).toEqual([-28, 'The host stops', true])
    client.destroy()
    await stopped
  })

  // Was wrong: it said 0, and that the host had what the next start had not.
  it.each(['another start', 'the end'])('a reload that %s overtakes changes nothing, and says so', async (what) => {
    const hosted = await Hosted.start(engine, {})
    const { host } = hosted
    const { settings } = host
    const { loads, loaded, file } = slowModule(`${what.replace(' ', '_')}_${engine}`)
    const reloaded = hosted.reload({ routes: [route('/new', { module: file })] })
    await loads.promise
    if (what === 'the end') await host.free()
    else {
      await host.stop()
      expect(await host.start()).toBe(0)
    }
    loaded.resolve()
    expect([await reloaded, host.error, host.settings === settings]).toEqual([-28, 'The host stops', true])
  })

  it('why a reload has failed is not said any more when the next one has not', async () => {
    const { port } = await RawServer.listen()
    const hosted = await Hosted.start(engine, {})
    expect(await hosted.reload({ listen: `127.0.0.1:${port}` })).toBe(-28)
    expect(hosted.host.error).toMatch(/^Port \d+ is in use/)
    expect([await hosted.reload({}), hosted.host.error]).toEqual([0, null])
  })

  it('freed while it starts, it does not listen', async () => {
    const port = await closedPort()
    const { loads, loaded, file } = slowModule(`freed_${engine}`)
    const host = createHost(
      { web: { engine, listen: `127.0.0.1:${port}`, routes: [route('/', { module: file })] } },
      parts,
    )
    const started = host.start()
    await loads.promise
    const freed = host.free()
    loaded.resolve()
    await Promise.all([started, freed])
    expect([await knock(port), host.ready]).toEqual(['ECONNREFUSED', false])
  })
})
