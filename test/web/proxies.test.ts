import { describe, expect, it } from 'vitest'
import type { Config, Web, WebAction } from '../../include-types/web.ts'
import { webSocketGetRemoteAddress } from '../../lib/websock/handle.ts'
import { WS_EVENT_CLOSE, WS_EVENT_OPEN } from '../../lib/websock/constants.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webSocketSendString } from '../../lib/websock/send.ts'
import { webWriteResponseString } from '../../lib/web/reply.ts'
import { WEB_HOOK_CONNECT, WEB_HOOK_END } from '../../lib/web/hooks.ts'
import { ask, type Door, open, plain, refusalsOf, untilStatus } from '../support/door.ts'
import { deferred } from '../support/memory.ts'
import { engines } from '../support/server.ts'

const [ONE, OTHER] = ['198.51.100.1', '198.51.100.2']
const from = (forwarded: string): Record<string, string> => ({ 'X-Forwarded-For': forwarded })

/** Tells its sender whom it takes him for. */
const who: WebAction = (web: Web) => {
  if (web.webSocket === null) return webWriteResponseString(web, 200, web.remote)
  return webSocketRun(web.webSocket, (ws, event) => {
    if (event === WS_EVENT_OPEN) webSocketSendString(ws, `${web.remote} ${webSocketGetRemoteAddress(ws)}`)
  })
}

describe.each(engines)('behind proxies, on the %s engine', (engine) => {
  const behind = (web: Config['web'] = {}): Promise<Door> =>
    open(engine, { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'], ...web }, { actions: { '/': who } })
  const remote = async (door: Door, headers: Record<string, string>): Promise<string> =>
    (await door.get('/', headers)).body.trim()

  it.each([
    [ONE, ONE],
    [`${OTHER}, ${ONE}`, ONE],
    [`127.0.0.1, ${ONE}`, ONE],
    [`${ONE}, 10.0.0.2, 10.0.0.3`, ONE],
    [`${ONE}:4711`, ONE],
    [`${ONE}, unknown`, '127.0.0.1'],
    ['', '127.0.0.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['::ffff:198.51.100.1', ONE],
  ])('%j is %s, for requests and connections', async (forwarded, client) => {
    const door = await behind()
    expect(await remote(door, from(forwarded))).toBe(client)
    const { client: socket, status } = await door.knock('/', from(forwarded))
    expect(status).toBe(101)
    expect(String((await socket.frame()).payload)).toBe(`${client} ${client}`)
  })

  it('headers that are repeated are one list', async () => {
    const door = await behind()
    const request = plain('/', {
      'X-Forwarded-For': `${OTHER}\r\nX-Forwarded-For: ${ONE}\r\nX-FORWARDED-FOR: 10.0.0.2`,
    })
    expect((await ask(await door.connect(), request)).body).toBe(`${ONE}\n`)
  })

  it.each([[undefined], [['10.0.0.0/8']], [[]]])(
    'who is no proxy of ours (%j) is believed nothing',
    async (trusted) => {
      const more = trusted === undefined ? {} : { trustedProxies: trusted }
      const door = await open(engine, { ...more, limits: { addressConnections: 1 } }, { actions: { '/': who } })
      expect(await remote(door, from(ONE))).toBe('127.0.0.1')
      expect((await door.knock('/', from(ONE))).status).toBe(101)
      expect((await door.knock('/', from(OTHER))).status).toBe(429)
    },
  )

  it('is the client for hooks, and when all is over', async () => {
    const told: string[] = []
    const [closed, over] = [deferred<string | null>(), deferred()]
    const action: WebAction = (web: Web) =>
      webSocketRun(web.webSocket, (ws, event) => {
        if (event === WS_EVENT_CLOSE) closed.resolve(webSocketGetRemoteAddress(ws))
      })
    const door = await open(engine, { trustedProxies: ['127.0.0.1'] }, { actions: { '/': action } })
    door.host.hook = (web, event) => {
      told.push(`${event} ${web.remote}`)
      if (event === WEB_HOOK_END) over.resolve()
    }
    const { client } = await door.knock('/', from(ONE))
    client.destroy()
    expect(await closed.promise).toBe(ONE)
    await over.promise
    expect(told).toContain(`${WEB_HOOK_CONNECT} ${ONE}`)
    expect(told).toContain(`${WEB_HOOK_END} ${ONE}`)
    expect(told.filter((line) => !line.endsWith(ONE))).toEqual([])
  })

  it('connections are counted for each client, and so is their end', async () => {
    const door = await behind({ limits: { addressConnections: 2 } })
    const first = await door.knock('/', from(ONE))
    expect([first.status, (await door.knock('/', from(ONE))).status]).toEqual([101, 101])
    const refused = await door.knock('/', from(`${OTHER}, ${ONE}`))
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '5'])
    expect((await door.knock('/', from(`${ONE}, ${OTHER}`))).status).toBe(101)
    // Only WebSockets are counted.
    expect((await door.get('/', from(ONE))).status).toBe(200)
    first.client.destroy()
    await untilStatus(101, () => door.knock('/', from(ONE)))
    expect((await door.knock('/', from(ONE))).status).toBe(429)
    expect((await refusalsOf(door))['address']).toBeGreaterThan(1)
  })

  it('clients of IPv6 are counted by their /64', async () => {
    const door = await behind({ limits: { addressConnections: 1 } })
    expect((await door.knock('/', from('2001:db8:1:2::1'))).status).toBe(101)
    expect((await door.knock('/', from('2001:DB8:1:2:ffff::9'))).status).toBe(429)
    expect((await door.knock('/', from('[2001:db8:1:2::1]:80'))).status).toBe(429)
    expect((await door.knock('/', from('2001:db8:1:3::1'))).status).toBe(101)
  })

  it('requests are counted for each client', async () => {
    const door = await behind({ limits: { addressRate: 1 } })
    const again = (i: number) => door.get('/', from(`10.9.9.${i}, ${ONE}`))
    for (let i = 0; i < 10; i++) expect((await again(i)).status).toBe(200)
    await untilStatus(429, () => again(10))
    expect((await door.get('/', from(OTHER))).status).toBe(200)
    expect((await door.get('/')).status).toBe(200)
  })

  describe('redirects to https', () => {
    const redirect = [{ from: 'http://', to: 'https://example.test' }]
    const at = (scheme: string | null, more: Record<string, string> = from(ONE)): Record<string, string> => ({
      Host: 'example.test',
      ...(scheme === null ? {} : { 'X-Forwarded-Proto': scheme }),
      ...more,
    })

    it.each([
      ['https', 200],
      ['HTTPS', 200],
      ['wss', 200],
      ['http', 301],
      ['ws', 301],
      ['', 301],
      ['xhttps', 301],
      ['httpsx', 301],
      [null, 301],
    ])('a proxy that says %j: %i', async (scheme, status) => {
      const door = await behind({ redirect })
      const { headers, ...answered } = await door.get('/a?b', at(scheme))
      expect([answered.status, headers['location']]).toEqual([
        status,
        status === 301 ? 'https://example.test/a?b' : undefined,
      ])
      expect((await door.knock('/a', at(scheme))).status).toBe(status === 301 ? 301 : 101)
    })

    it('the same, where the config does not say where to', async () => {
      const door = await behind({ redirect: [{ to: 'https' }] })
      expect((await door.get('/a', at('https'))).status).toBe(200)
      const { status, headers } = await door.get('/a', at('http'))
      expect([status, headers['location']]).toEqual([301, 'https://example.test/a'])
    })

    it('who is no proxy of ours is sent there, whatever it says', async () => {
      const door = await open(engine, { redirect, trustedProxies: ['10.0.0.0/8'] })
      expect((await door.get('/', at('https'))).status).toBe(301)
      const without = await open(engine, { redirect })
      expect((await without.get('/', at('https'))).status).toBe(301)
    })

    // Was wrong: X-Forwarded-Proto of a trusted proxy counts only where it sends X-Forwarded-For, too: an endless redirect.
    it('a proxy that says only that', async () => {
      const door = await behind({ redirect })
      expect((await door.get('/', at('https', {}))).status).toBe(200)
    })

    // Was wrong: of a chain in which each proxy adds what it has seen, nothing is understood: an endless redirect.
    it('two proxies that say https', async () => {
      const door = await behind({ redirect })
      expect((await door.get('/', at('https, https', from(`${ONE}, 10.0.0.2`)))).status).toBe(200)
    })
  })
})
