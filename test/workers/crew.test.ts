import { beforeAll, describe, expect, it } from 'vitest'
import { RawServer } from '../support/raw-server.ts'
import { Service } from '../support/service.ts'
import { folder, leave, metric, news, oneOfEach, openAtAll } from './support.ts'

/** Publishes much, and behind that what says so. */
folder.action(
  'burst.ts',
  `const part = 'x'.repeat(1 << 20)
  export default (web) => lib.webSocketRun(web.webSocket, (ws, event, buf) => {
    if (event === lib.WS_EVENT_OPEN) {
      lib.webSocketSubscribe(ws, 'burst')
      lib.webSocketSendString(ws, String(process.pid))
    } else if (event === lib.WS_EVENT_MESSAGE && buf === 'try') {
      lib.webSocketSendString(ws, lib.webSocketPublish(ws.topics, 'nobody', part) < 0 ? 'refused' : 'accepted')
    } else if (event === lib.WS_EVENT_MESSAGE && buf === 'flood') {
      let taken = 0
      for (let i = 0; i < 70; i++) if (lib.webSocketPublish(ws.topics, 'nobody', part) >= 0) taken++
      lib.webSocketSendString(ws, taken + ' of 70 taken')
    } else if (event === lib.WS_EVENT_MESSAGE) {
      if (lib.webSocketPublish(ws.topics, 'nobody', part) < 0) lib.webSocketSendString(ws, 'refused')
      else lib.webSocketPublish(ws.topics, 'burst', 'taken')
    }
  })`,
)
const burst = { match: '/burst', handler: 'action', module: './burst.ts' }

describe('a server of two workers', () => {
  const name = 'crew.json5'
  const configure = (routes: readonly object[], web: object = {}): string =>
    folder.write(name, {
      web: { engine: 'node', listen: '127.0.0.1:0', workers: 2, ...web, routes },
      observe: { listen: '127.0.0.1:0' },
    })
  let server: Service
  let [port, observed] = [0, 0]
  beforeAll(async () => {
    server = new Service([configure([burst, news('/')])])
    port = await server.port()
    observed = Number((await server.until(/^metrics on .*:(\d+)\/metrics$/m))[1])
  })

  it('publishes any amount, as long as all take it', async () => {
    const readers = oneOfEach(await openAtAll(port, 2, 1, '/burst'))
    // More than may ever wait for another process; but each has what was published before the next one comes.
    for (let i = 0; i < 70; i++) {
      readers[0]?.say('go')
      for (const reader of readers) expect(await reader.hear()).toEqual(['taken'])
    }
    expect(server.said).not.toContain('has ended')
    leave(readers)
  })

  // Was wrong: what several workers publish at once was more than the primary let wait for one, and that one was killed.
  it('publishes much at once from both: nobody is taken for one that hangs', async () => {
    const readers = oneOfEach(await openAtAll(port, 2, 1, '/burst'))
    for (const reader of readers) reader.say('flood')
    // In between it may be too much for the publisher, who is told so.
    for (const reader of readers) expect((await reader.hear())[0]).toMatch(/^\d+ of 70 taken$/)
    for (const reader of readers) {
      let heard = ''
      while (heard !== 'accepted') {
        reader.say('try')
        ;[heard = ''] = await reader.hear()
      }
    }
    expect(server.said).not.toContain('has ended')
    leave(readers)
  })

  it('of which one hangs while the other publishes: that is refused, one is ended, and the other goes on', async () => {
    const [one, other] = oneOfEach(await openAtAll(port, 2, 1, '/burst'))
    if (one === undefined || other === undefined) throw new Error('not both')
    const from = server.said.length
    process.kill(one.pid, 'SIGSTOP')
    // What was published before may still be on its way: then little more is taken, and nobody need wait for that little.
    for (let taken = 0; taken < 40;) {
      other.say('flood')
      const some = parseInt((await other.hear())[0] ?? '', 10)
      expect(some).toBeLessThan(70)
      taken += some
    }
    await server.until(/has ended with SIGKILL/, from)
    let heard = ''
    while (heard !== 'accepted') {
      other.say('try')
      ;[heard = ''] = await other.hear()
    }
    await server.until(/has an action/, from)
    leave([one, other])
  })

  it('of which one ends behind a reload that was refused: it comes back as it was, and no count falls', async () => {
    const readers = await openAtAll(port, 2, 1, '/')
    const opened = (await metric(observed, 'fiberws_opens_total')) ?? 0
    expect(opened).toBeGreaterThanOrEqual(readers.length)
    configure([news('/b')], { listen: `127.0.0.1:${(await RawServer.listen()).port}` })
    expect(await server.reload()).toMatch(/^reload error Port \d+ is in use/)
    const from = server.said.length
    process.kill(readers[0]?.pid ?? 0, 'SIGKILL')
    await server.until(/has ended with SIGKILL/, from)
    await server.until(/has an action|cannot start/, from)
    expect(server.said.slice(from)).not.toContain('cannot start')
    const back = await openAtAll(port, 2, 1, '/')
    expect(await metric(observed, 'fiberws_opens_total')).toBeGreaterThanOrEqual(opened + back.length)
    leave([...readers, ...back])
  })
})
