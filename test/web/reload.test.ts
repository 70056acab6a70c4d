import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RouteConfig } from '../../include-types/web.ts'
import { ask, dismissed, Hosted, knock } from '../support/hosted.ts'
import { ask as get } from '../support/http.ts'
import { LogLines } from '../support/log-lines.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { closedPort, RawServer } from '../support/raw-server.ts'
import { engines } from '../support/server.ts'

let folder = ''
const file = (name: string): string => join(folder, name)
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-reload-'))
  writeFileSync(file('throws.mjs'), "throw new Error('at the top')")
  writeFileSync(file('number.mjs'), 'export default 5')
  // What they are given is this program's own.
  for (const name of ['one', 'two']) writeFileSync(file(`${name}.mjs`), `export default (web) => globalThis.echo(web)`)
})
afterAll(() => rmSync(folder, { recursive: true }))

const route = (match: string, more: RouteConfig = {}): RouteConfig => ({ match, handler: 'action', ...more })

/** The status that a handshake is answered with. */
async function knockAt(port: number, path: string): Promise<number> {
  const client = await RawClient.connect(port)
  client.send(handshake(path))
  const { status } = await client.response()
  client.destroy()
  return status
}

describe.each(engines)('a reload on the %s engine', (engine) => {
  it('routes that stay keep their sockets, new ones are served, others are gone', async () => {
    const hosted = await Hosted.start(engine, { routes: [route('/a'), route('/b/')] })
    const [a, b] = [await hosted.open('/a'), await hosted.open('/b/x')]
    const { port } = hosted
    // Their order may change, and what is no essence of theirs.
    const routes = [route('/new'), route('/b/', { headers: { 'X-New': 'yes' }, methods: ['GET'] }), route('/a')]
    expect(await hosted.reload({ routes, headers: { 'X-Host': 'new' } })).toBe(0)
    expect(hosted.port).toBe(port)
    expect([await ask(a.client, 'a'), await ask(b.client, 'b')]).toEqual(['a', 'b'])
    expect(await ask((await hosted.open('/new')).client, 'new')).toBe('new')
    const client = await RawClient.connect(port)
    client.send(handshake('/b/y'))
    expect((await client.response()).head).toMatch(/X-Host: new[^]*X-New: yes/)

    expect(await hosted.reload({ routes: [route('/a')] })).toBe(0)
    expect(await dismissed(b.client)).toBe(1001)
    expect(await knockAt(port, '/b/x')).toBe(404)
    expect(await ask(a.client, 'still')).toBe('still')
    await b.client.until(() => b.client.closed)
    expect(b.ws.ending?.cause).toEqual({ initiator: 'us', code: 1001, reason: 'Its route has gone' })
    expect(hosted.closed.filter((path) => path === '/b/x')).toEqual(['/b/x'])
  })

  it('sockets of a route that has gone get 1001 at drainRate, one CLOSE each', async () => {
    const limits = { drainRate: 100 }
    const hosted = await Hosted.start(engine, { limits, routes: [route('/a/'), route('/b')] })
    const clients = await Promise.all(Array.from({ length: 30 }, (_, i) => RawClient.open(hosted.port, `/a/${i}`)))
    const { client } = await hosted.open('/b')
    const before = performance.now()
    expect(await hosted.reload({ limits, routes: [route('/b')] })).toBe(0)
    // The host serves meanwhile.
    expect(await ask(client, 'b')).toBe('b')
    expect(new Set(await Promise.all(clients.map(dismissed)))).toEqual(new Set([1001]))
    expect(performance.now() - before).toBeGreaterThan(240)
    await Promise.all(clients.map((one) => one.until(() => one.closed)))
    expect([hosted.closed.length, new Set(hosted.closed).size]).toEqual([30, 30])
    expect(await ask(client, 'b')).toBe('b')
  })

  it.each<[string, RouteConfig, RouteConfig]>([
    ['token', { token: 'old' }, { token: 'new' }],
    ['a token where there was none', {}, { token: 'new' }],
    ['role', { role: 'admin' }, { role: 'owner' }],
    ['module', { module: 'one.mjs' }, { module: 'two.mjs' }],
    ['trim', { trim: '/x' }, { trim: '/x/' }],
    ['exact', {}, { exact: true }],
    ['handler', {}, { handler: 'observe' }],
  ])('another %s is another route', async (_what, old, changed) => {
    const place = (more: RouteConfig): RouteConfig[] => [
      route('/x/', { ...more, ...(more.module === undefined ? {} : { module: file(more.module) }) }),
      route('/y'),
    ]
    const hosted = await Hosted.start(engine, { routes: place(old) }, (host) => {
      host.authorize = () => true
      host.addAction('/', (web) => hosted.echo(web))
    })
    Object.assign(globalThis, { echo: hosted.echo })
    const query = old.token === undefined ? '' : `?token=${old.token}`
    const [x, y] = [await hosted.open(`/x/${query}`), await hosted.open('/y')]
    expect(await ask(x.client, 'x')).toBe('x')
    expect(await hosted.reload({ routes: place(changed) })).toBe(0)
    expect(await dismissed(x.client)).toBe(1001)
    expect(await ask(y.client, 'y')).toBe('y')
    if (changed.token !== undefined) {
      expect(await knockAt(hosted.port, `/x/${query}`)).toBe(401)
      expect(await knockAt(hosted.port, `/x/?token=${changed.token}`)).toBe(101)
    } else expect(await knockAt(hosted.port, '/x/')).toBe(changed.handler === undefined ? 101 : 404)
  })

  it('what else a route says holds for the requests that come', async () => {
    const files = (more: RouteConfig): RouteConfig => ({ match: '/', handler: 'file', documents: folder, ...more })
    const hosted = await Hosted.start(engine, { routes: [files({})] })
    const at = async (path: string, body?: string) =>
      (await get(hosted.port, path, body === undefined ? {} : { method: 'POST', body })).status
    expect([await at('/one.mjs'), await at('/inner.txt')]).toEqual([200, 404])
    mkdirSync(file('inner'), { recursive: true })
    writeFileSync(join(file('inner'), 'inner.txt'), 'inner')
    expect(await hosted.reload({ routes: [files({ documents: file('inner') })] })).toBe(0)
    expect([await at('/one.mjs'), await at('/inner.txt')]).toEqual([404, 200])

    expect(await hosted.reload({ routes: [route('/')], limits: { body: 10, header: 1000 } })).toBe(0)
    expect(await at('/', 'x'.repeat(11))).toBe(413)
    expect(await at(`/${'x'.repeat(2000)}`)).toBe(431)
  })

  it('says what counts after a restart', async () => {
    const hosted = await Hosted.start(engine, {})
    const log = new LogLines()
    const settings = hosted.settings({})
    expect(await hosted.host.reload({ ...settings, observe: { ...settings.observe, connections: true } })).toBe(0)
    await log.until(/^web warning: observe counts after a restart$/)
    // Was wrong: it is compared with what was asked for last, not with what is in force.
    expect(await hosted.host.reload({ ...settings, drainRate: 3 })).toBe(0)
    expect(hosted.host.warnings.filter((warning) => warning.startsWith('observe'))).toEqual([])
    expect(await hosted.reload({ webSockets: { compression: true } })).toBe(0)
    const told = engine === 'uws' ? 1 : 0
    expect(log.lines.filter((line) => line.endsWith('webSockets.compression counts after a restart')).length).toBe(told)
  })

  it('listeners: new ones open, removed ones take nobody more, and their sockets live on', async () => {
    const hosted = await Hosted.start(engine, {})
    const { port: old } = hosted
    const { client } = await hosted.open('/')
    const [first, second] = [await closedPort(), await closedPort()]
    expect(await hosted.reload({ listen: ['127.0.0.1:0', `127.0.0.1:${first}`] })).toBe(0)
    expect(hosted.host.listening.map(({ port, url }) => [port, url])).toEqual([
      [old, `http://127.0.0.1:${old}`],
      [first, `http://127.0.0.1:${first}`],
    ])
    const other = await RawClient.open(first)
    expect(await hosted.reload({ listen: `127.0.0.1:${second}` })).toBe(0)
    expect([await knock(old), await knock(first), await knock(second)]).toEqual([
      'ECONNREFUSED',
      'ECONNREFUSED',
      'open',
    ])
    expect([await ask(client, 'one'), await ask(other, 'two')]).toEqual(['one', 'two'])
    // They are known to it still.
    const stopped = hosted.host.stop()
    expect([await dismissed(client), await dismissed(other)]).toEqual([1001, 1001])
    await stopped
    expect(hosted.closed.length).toBe(2)
  })

  it('a port that is in use keeps the old config, and opens no other port', async () => {
    const hosted = await Hosted.start(engine, { routes: [route('/a')] })
    const { client } = await hosted.open('/a')
    const { settings } = hosted.host
    const [free, taken] = [await closedPort(), (await RawServer.listen()).port]
    const listen = ['127.0.0.1:0', `127.0.0.1:${free}`, `127.0.0.1:${taken}`]
    expect(await hosted.reload({ routes: [route('/b')], listen })).toBe(-28)
    expect(hosted.host.error).toMatch(new RegExp(`^Port ${taken} is in use`))
    expect([await knock(free), hosted.host.listening.length]).toEqual(['ECONNREFUSED', 1])
    expect(hosted.host.settings).toBe(settings)
    expect(await ask(client, 'a')).toBe('a')
    expect([await knockAt(hosted.port, '/a'), await knockAt(hosted.port, '/b')]).toEqual([101, 404])
    // Nothing is left that would be in the way of a good one.
    expect(await hosted.reload({ routes: [route('/b')], listen: `127.0.0.1:${free}` })).toBe(0)
    expect(await dismissed(client)).toBe(1001)
  })

  it('another engine, and modules that cannot be loaded, keep the old config', async () => {
    const hosted = await Hosted.start(engine, { routes: [route('/a')] })
    const { client } = await hosted.open('/a')
    const { settings, listening } = hosted.host
    const bad: [RegExp, Parameters<Hosted['reload']>[0]][] = [
      [
        /^web\.engine cannot be changed without a restart$/,
        { engine: engine === 'uws' ? 'node' : 'uws', routes: [route('/b')] },
      ],
      [
        /throws\.mjs: at the top\n.*number\.mjs: has no default export/,
        {
          listen: `127.0.0.1:${await closedPort()}`,
          routes: [route('/b'), ...['throws', 'number'].map((name) => route('/m', { module: file(`${name}.mjs`) }))],
        },
      ],
    ]
    for (const [error, web] of bad) {
      expect(await hosted.reload(web)).toBe(-28)
      expect(hosted.host.error).toMatch(error)
      expect(hosted.host.settings).toBe(settings)
      expect(hosted.host.listening).toBe(listening)
      expect(await ask(client, 'a')).toBe('a')
      expect([await knockAt(hosted.port, '/a'), await knockAt(hosted.port, '/b')]).toEqual([101, 404])
    }
  })

  it('a host that does not run has nothing to reload', async () => {
    const hosted = await Hosted.start(engine, {})
    await hosted.host.stop()
    expect(await hosted.reload({})).toBe(-28)
    expect(hosted.host.error).toBe('The host does not run')
  })
})
