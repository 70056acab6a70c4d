import { afterAll, describe, expect, it } from 'vitest'
import type { RouteConfig } from '../../include-types/web.ts'
import { Certificates, dialSecure, nameAt } from '../support/certificate.ts'
import { ask, dismissed, knock } from '../support/hosted.ts'
import { closedPort, RawServer } from '../support/raw-server.ts'
import { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'
import { Folder, Service } from '../support/service.ts'

const folder = new Folder()
folder.action(
  'echo.ts',
  `export default (web) => lib.webSocketRun(web.webSocket, (ws, event, buf) => {
    if (event === lib.WS_EVENT_MESSAGE) lib.webSocketSendString(ws, String(buf))
    if (event === lib.WS_EVENT_CLOSE) console.log('CLOSE of %s', web.path)
  })`,
)
folder.write('throws.ts', "throw new Error('at the top')")
const pems = new Certificates('first', 'second')
afterAll(() => pems.remove())

const echo = (match: string, more: RouteConfig = {}): RouteConfig => ({
  match,
  handler: 'action',
  module: './echo.ts',
  ...more,
})

/** What an echo says to somebody who comes and goes. */
async function tryOut(port: number, path: string): Promise<string> {
  const client = await RawClient.open(port, path)
  const answer = await ask(client, 'new')
  client.destroy()
  return answer
}

describe.each(engines)('the command on the %s engine, and SIGHUP', (engine) => {
  /** The config file of this engine. */
  const name = `${engine}.json5`
  const configure = (routes: readonly RouteConfig[], web: object = {}): void => {
    const listen = ['127.0.0.1:0', 'https://127.0.0.1:0']
    folder.write(name, { web: { engine, listen, routes, ...web }, tls: pems.tls })
  }

  it('reads the config again: sockets of what stays live on, a bad file changes nothing; SIGTERM is 1001 and exit 0', async () => {
    pems.use('first')
    configure([echo('/a'), echo('/b')])
    const server = new Service([folder.file(name)])
    const port = await server.port()
    const secure = Number((await server.until(/listening on https:\/\/127\.0\.0\.1:(\d+)/))[1])
    const [a, b] = [await RawClient.open(port, '/a'), await RawClient.open(port, '/b')]
    const { client: wss } = await dialSecure(secure, '/a')

    // Another route, limits, a listener more; the certificate is another one, too.
    const more = await closedPort()
    pems.use('second')
    configure([echo('/a', { limits: { maxMessage: 10 } }), echo('/new')], {
      listen: ['127.0.0.1:0', 'https://127.0.0.1:0', `127.0.0.1:${more}`],
    })
    expect(await server.reload()).toMatch(/^reloaded: 2 routes, \d connections$/)
    expect(await dismissed(b)).toBe(1001)
    await server.until(/^CLOSE of \/b$/m)
    expect([await ask(a, 'a'), await ask(wss, 'wss')]).toEqual(['a', 'wss'])
    expect(await tryOut(more, '/new')).toBe('new')
    expect([await nameAt(secure), await knock(port)]).toEqual(['second', 'open'])

    const bad: [RegExp, () => void][] = [
      [/^reload error .*:1:\d+/m, () => folder.write(name, '{ web: { routes: [}')],
      [/web\.limits\.body: is not a size/, () => configure([echo('/b')], { limits: { body: '5 apples' } })],
      [/module: there is no such file/, () => configure([echo('/b'), echo('/c', { module: './none.ts' })])],
      [/throws\.ts: at the top/, () => configure([echo('/b'), echo('/c', { module: './throws.ts' })])],
      [/web\.engine cannot be changed/, () => configure([echo('/b')], { engine: engine === 'uws' ? 'node' : 'uws' })],
    ]
    const taken = (await RawServer.listen()).port
    bad.push([/Port \d+ is in use/, () => configure([echo('/b')], { listen: `127.0.0.1:${taken}` })])
    for (const [why, spoil] of bad) {
      spoil()
      const from = server.said.length
      expect(await server.reload()).toMatch(/the old config stays$/)
      expect(server.said.slice(from)).toMatch(why)
      expect(server.said.slice(from)).not.toContain('    at ')
      expect([await ask(a, 'a'), await ask(wss, 'wss')]).toEqual(['a', 'wss'])
      expect(await tryOut(more, '/new')).toBe('new')
    }

    // The last good one is in force: this is too long for it.
    expect(await ask(a, 'x'.repeat(11))).toBe('Close 1009')
    a.destroy()
    configure([echo('/a')])
    expect(await server.reload()).toMatch(/^reloaded: 1 routes/)
    expect(await knock(more)).toBe('ECONNREFUSED')
    server.child.kill('SIGTERM')
    expect(await dismissed(wss)).toBe(1001)
    expect([await server.exit, await knock(port)]).toEqual([0, 'ECONNREFUSED'])
    expect(server.said.match(/^CLOSE of \/b$/gm)?.length).toBe(1)
  })

  it('a second signal ends it at once, while sockets still leave one by one', async () => {
    configure([echo('/')], { limits: { drainRate: 1 } })
    const server = new Service([folder.file(name)])
    const port = await server.port()
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(port)))
    server.child.kill('SIGTERM')
    await server.until(/^stopping, 20 connections$/m)
    const before = performance.now()
    const exit = server.exit
    // One that is passed on twice is one: each is sent until it counts as a second thought.
    const again = setInterval(() => server.child.kill('SIGTERM'), 50)
    expect(await exit).toBe(1)
    clearInterval(again)
    expect(performance.now() - before).toBeGreaterThan(150)
    await Promise.all(clients.map((client) => client.until(() => client.ended)))
    expect(clients.filter((client) => client.length > 0).length).toBeLessThan(10)
  })
})
