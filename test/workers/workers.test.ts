import { beforeAll, describe, expect, it } from 'vitest'
import { dismissed, knock } from '../support/hosted.ts'
import { ask as get } from '../support/http.ts'
import { closedPort, RawServer } from '../support/raw-server.ts'
import { engines } from '../support/server.ts'
import { Service } from '../support/service.ts'
import { folder, leave, metric, news, oneOfEach, openAtAll, Reader } from './support.ts'

/** One server with two workers, and what it goes through, from its start to its end. */
describe.each(engines)('two workers on the %s engine', (engine) => {
  const name = `${engine}.json5`
  const configure = (routes: readonly object[], web: object = {}): string =>
    folder.write(name, {
      web: { engine, listen: '127.0.0.1:0', timeouts: { drain: 2 }, ...web, routes },
      observe: { listen: '127.0.0.1:0' },
    })
  let server: Service
  let [port, observed] = [0, 0]

  beforeAll(async () => {
    server = new Service([configure([news('/a'), news('/b')]), '--workers', '2'])
    port = await server.port()
    observed = Number((await server.until(/^metrics on http:\/\/127\.0\.0\.1:(\d+)\/metrics$/m))[1])
  })

  it('share the port that port 0 has become, and are announced once', async () => {
    expect(server.said.match(/^listening on /gm)?.length).toBe(1)
    expect(server.said).toMatch(new RegExp(`^fiberws \\S+, ${engine} engine .*, 2 workers$`, 'm'))
    const readers = await openAtAll(port, 2, 1, '/a')
    expect(readers.map(({ pid }) => pid)).not.toContain(server.child.pid)
    expect(new Set(readers.map(({ pid }) => pid)).size).toBe(2)
    leave(readers)
  })

  it('publish to the subscribers of both, in one order everywhere', async () => {
    const readers = await openAtAll(port, 2, 2, '/a')
    const publishers = readers.slice(0, 4)
    const words = publishers.map((_, p) => Array.from(Array(50).keys(), (i) => `!${p}:${i}`))
    for (let i = 0; i < 50; i++) for (const [p, publisher] of publishers.entries()) publisher.say(words[p]?.[i] ?? '')
    const [first = [], ...others] = await Promise.all(readers.map((reader) => reader.hear(200)))
    for (const heard of others) expect(heard).toEqual(first)
    // And each publisher's in its own.
    for (const [p, said] of words.entries()) expect(first.filter((word) => word.startsWith(`!${p}:`))).toEqual(said)
    leave(readers)
  })

  it('are one in what they tell of themselves', async () => {
    const opened = (await metric(observed, 'fiberws_opens_total')) ?? 0
    const readers = await openAtAll(port, 2, 2, '/a')
    expect(await metric(observed, 'fiberws_opens_total')).toBe(opened + readers.length)
    expect(await metric(observed, 'fiberws_connections')).toBeGreaterThanOrEqual(readers.length)
    expect(await metric(observed, 'fiberws_worker_restarts_total')).toBe(0)
    expect((await get(observed, '/readyz')).status).toBe(200)
    leave(readers)
  })

  it('SIGHUP reloads both; what is wrong changes none', async () => {
    const [staying, leaving] = [await openAtAll(port, 2, 1, '/a'), await openAtAll(port, 2, 1, '/b')]
    const more = await closedPort()
    configure([news('/a'), news('/new')], { limits: { maxMessage: 10 }, listen: ['127.0.0.1:0', `127.0.0.1:${more}`] })
    expect(await server.reload()).toBe('reloaded: 2 routes, 2 workers')
    for (const { client } of leaving) expect(await dismissed(client)).toBe(1001)
    const found = [...(await openAtAll(port, 2, 1, '/new')), ...(await openAtAll(more, 2, 1, '/new'))]
    expect(new Set(found.map(({ pid }) => pid))).toEqual(new Set(staying.map(({ pid }) => pid)))

    configure([news('/b')], { limits: { maxMessage: 'many' } })
    expect(await server.reload()).toBe('reload error the old config stays')
    configure([news('/b')], { listen: `127.0.0.1:${(await RawServer.listen()).port}` })
    expect(await server.reload()).toMatch(/^reload error Port \d+ is in use: .*: the old config stays$/)
    for (const reader of [...staying, ...found]) {
      expect(await reader.echo('here')).toBe('here')
      // The limit of the reload before.
      expect(await reader.echo('x'.repeat(11))).toBe('Close 1009')
    }
    leave([...staying, ...found])

    configure([news('/a'), news('/new'), news('/last')])
    expect(await server.reload()).toBe('reloaded: 3 routes, 2 workers')
    expect([await knock(more), await knock(port)]).toEqual(['ECONNREFUSED', 'open'])
  })

  it('kill -9 of one costs its own connections only, and it is back', async () => {
    const readers = await openAtAll(port, 2, 1, '/a')
    const [lost, other] = oneOfEach(readers)
    if (lost === undefined || other === undefined) throw new Error('not both')
    // Signals are the primary's affair: a terminal sends them to all.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(lost.pid, signal)
    expect(await lost.echo('still here')).toBe('still here')
    process.kill(lost.pid, 'SIGKILL')
    await lost.client.until(() => lost.client.ended)
    const [line] = await server.until(/^workers error worker \d, process \d+, has ended with SIGKILL: .*$/m)
    expect(line).toContain(`process ${lost.pid},`)
    expect(line).toMatch(/the next one comes in 100 ms$/)
    expect(await other.echo('still here')).toBe('still here')
    // It serves, and hears what others publish.
    const tried = [await Reader.open(port, '/new')]
    while (tried.at(-1)?.pid === other.pid) tried.push(await Reader.open(port, '/new'))
    expect(tried.at(-1)?.pid).not.toBe(lost.pid)
    other.say('!news')
    expect(await tried.at(-1)?.hear()).toEqual(['!news'])
    leave([...readers, ...tried])
    expect(await metric(observed, 'fiberws_worker_restarts_total')).toBe(1)
    expect((await get(observed, '/readyz')).status).toBe(200)
  })

  it('SIGTERM stops both: 1001 to all, one CLOSE each, exit 0', async () => {
    const readers = await openAtAll(port, 2, 3, '/last')
    const from = server.said.length
    server.child.kill('SIGTERM')
    await server.until(/^stopping 2 workers$/m, from)
    expect(new Set(await Promise.all(readers.map(({ client }) => dismissed(client))))).toEqual(new Set([1001]))
    expect(await server.exit).toBe(0)
    expect([await knock(port), await knock(observed)]).toEqual(['ECONNREFUSED', 'ECONNREFUSED'])
    expect(server.said.slice(from)).not.toContain('has ended')
    expect(server.said.match(/^CLOSE of \/last$/gm)?.length).toBe(readers.length)
  })
})
