import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { RouteConfig } from '../../include-types/web.ts'
import { webSocketSetPingPeriod } from '../../lib/websock/handle.ts'
import { ask, dismissed, Hosted, knock } from '../support/hosted.ts'
import { deferred } from '../support/memory.ts'
import { closedPort } from '../support/raw-server.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

/*
 * A reload that meets something else: another reload, a stop, a connection that is being let in.
 */

const folder = mkdtempSync(join(tmpdir(), 'fiberws-races-'))
afterAll(() => rmSync(folder, { recursive: true }))

const route = (match: string, more: RouteConfig = {}): RouteConfig => ({ match, handler: 'action', ...more })
const open = (port: number, path: string, count: number): Promise<RawClient[]> =>
  Promise.all(Array.from({ length: count }, () => RawClient.open(port, path)))

/** A host whose role is granted when `granted` resolves, and a client that waits for it at '/a'. */
async function waiting(engine: (typeof engines)[number]) {
  const [granted, asked] = [deferred<boolean>(), deferred()]
  const routes = [route('/a', { role: 'guest' })]
  const hosted = await Hosted.start(engine, { routes }, (host) => {
    host.authorize = () => {
      asked.resolve()
      return granted.promise
    }
  })
  const client = await RawClient.connect(hosted.port)
  client.send(handshake('/a'))
  await asked.promise
  return { hosted, client, granted, routes }
}

describe.each(engines)('a reload on the %s engine meets', (engine) => {
  // Was wrong: what a reload has taken away is everything that is not its own: also the routes of the next one.
  it('another reload while sockets still leave: those of new routes are not among them', async () => {
    const limits = { drainRate: 50 }
    const hosted = await Hosted.start(engine, { limits, routes: [route('/a'), route('/b')] })
    const leaving = await open(hosted.port, '/a', 30)
    expect(await hosted.reload({ limits, routes: [route('/b')] })).toBe(0)
    expect(await hosted.reload({ limits, routes: [route('/b'), route('/c')] })).toBe(0)
    const { client, ws } = await hosted.open('/c')
    expect(new Set(await Promise.all(leaving.map(dismissed)))).toEqual(new Set([1001]))
    // Long enough for some more to be told.
    webSocketSetPingPeriod(ws, 50)
    for (let i = 0; i < 3; i++) expect((await client.frame()).opcode).toBe(9)
  })

  // Was wrong: each reload has a rate of its own, and so has a stop.
  it.each(['reload', 'stop'] as const)(
    'a %s while sockets still leave: the rate is that of all together',
    async (what) => {
      const limits = { drainRate: 100 }
      const hosted = await Hosted.start(engine, { limits, routes: [route('/a'), route('/b')] })
      const leaving = await open(hosted.port, '/a', 40)
      expect(await hosted.reload({ limits, routes: [route('/b')] })).toBe(0)
      const before = performance.now()
      const over = what === 'stop' ? hosted.host.stop() : hosted.reload({ limits, routes: [route('/b')] })
      await Promise.all(leaving.map(dismissed))
      // 39 of them at 100 a second, and a fifth more.
      expect(performance.now() - before).toBeGreaterThan(320)
      await over
    },
  )

  it('the same reload twice at once: they are done one after the other', async () => {
    const hosted = await Hosted.start(engine, { routes: [route('/a')] })
    const { client } = await hosted.open('/a')
    const port = await closedPort()
    const listen = ['127.0.0.1:0', `127.0.0.1:${port}`]
    const both = [hosted.reload({ routes: [route('/a')], listen }), hosted.reload({ routes: [route('/a')] })]
    expect(await Promise.all(both)).toEqual([0, 0])
    expect(await knock(port)).toBe('ECONNREFUSED')
    expect(await ask(client, 'a')).toBe('a')
  })

  // Was wrong: a stop does not wait for it, and it opens its listener behind that.
  it('a stop: nobody listens behind it', async () => {
    const hosted = await Hosted.start(engine, {})
    const port = await closedPort()
    const [loads, loaded] = [deferred(), deferred()]
    Object.assign(globalThis, { [`load_${engine}`]: () => (loads.resolve(), loaded.promise) })
    const file = join(folder, `${engine}.mjs`)
    writeFileSync(file, `await globalThis.load_${engine}()\nexport default () => {}`)
    const reloaded = hosted.reload({ listen: `127.0.0.1:${port}`, routes: [route('/', { module: file })] })
    await loads.promise
    const stopped = hosted.host.stop()
    loaded.resolve()
    await Promise.all([stopped, reloaded])
    expect(await knock(port)).toBe('ECONNREFUSED')
  })

  // Was wrong: who is let in by a route that has gone meanwhile stays for good; uws loses another one in the middle (see below).
  it('a connection that its old route lets in: it is told to leave, or not let in', async () => {
    const { hosted, client, granted } = await waiting(engine)
    const routes = [route('/b')]
    expect(await hosted.reload({ routes })).toBe(0)
    granted.resolve(true)
    const { status } = await client.response()
    // What is sent now comes behind the Close, if there is one.
    expect(status === 101 ? await ask(client, 'am I here?') : 'not let in').toMatch(/^Close 1001$|^not let in$/)
  })

  // Was wrong: uws drops the app of a listener that has gone between 'nothing is asked' and 'upgraded', and throws.
  it('a connection that is let in when its listener has gone: it lives on', async () => {
    const { hosted, client, granted, routes } = await waiting(engine)
    expect(await hosted.reload({ routes, listen: `127.0.0.1:${await closedPort()}` })).toBe(0)
    granted.resolve(true)
    const heard = await client.until(() => client.received.toString().split('\r\n')[0] || (client.ended && 'the end'))
    expect(heard).toBe('HTTP/1.1 101 Switching Protocols')
  })
})
