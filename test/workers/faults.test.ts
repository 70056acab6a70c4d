import { rmSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { Certificates, nameAt } from '../support/certificate.ts'
import { dismissed, knock } from '../support/hosted.ts'
import { ask as get } from '../support/http.ts'
import { closedPort } from '../support/raw-server.ts'
import { Service } from '../support/service.ts'
import { folder, leave, metric, news, oneOfEach, openAtAll, type Reader } from './support.ts'

const dying = folder.file('die')
folder.action(
  'mortal.ts',
  `import { existsSync, readFileSync } from 'node:fs'
  if (existsSync('${dying}')) {
    if (readFileSync('${dying}', 'utf8') === 'throw') throw new Error('not any more')
    process.exit(7)
  }
  export { default } from './news.ts'`,
)
folder.action(
  'slow.ts',
  `console.log('loading slow')
  await new Promise((resolve) => setTimeout(resolve, 300))
  export { default } from './news.ts'`,
)
const mortal = { match: '/', handler: 'action', module: './mortal.ts' }
const slow = { match: '/slow', handler: 'action', module: './slow.ts' }

const configure = (name: string, routes: readonly object[], web: object = {}): string =>
  folder.write(name, {
    web: { engine: 'node', listen: '127.0.0.1:0', workers: 2, ...web, routes },
    observe: { listen: '127.0.0.1:0' },
  })

/** The program, which says first that it is there. */
const serve = (name: string, routes: readonly object[]): Service => {
  const hello = folder.write('hello.mjs', "console.log('process %d begins', process.pid)")
  return new Service([configure(name, routes)], { NODE_OPTIONS: `--import ${hello}` })
}

/** Kills one of two workers, and waits for the process that is to take its place: it has yet to load the program. */
async function replace(server: Service, worker: Reader): Promise<void> {
  const from = server.said.length
  process.kill(worker.pid, 'SIGKILL')
  await server.until(/^process \d+ begins$/m, from)
}

/** A connection with each of the two. */
async function both(port: number): Promise<[Reader, Reader]> {
  const readers = await openAtAll(port, 2, 1)
  const [one, other] = oneOfEach(readers)
  if (one === undefined || other === undefined) throw new Error('not both')
  leave(readers.filter((reader) => reader !== one && reader !== other))
  return [one, other]
}

describe('a worker that ends', () => {
  it('again and again comes back later each time, and may be stopped meanwhile; the other serves', async () => {
    const server = new Service([configure('mortal.json5', [mortal])])
    const port = await server.port()
    const observed = Number((await server.until(/^metrics on .*:(\d+)\/metrics$/m))[1])
    const [one, other] = await both(port)
    folder.write('die', '')
    process.kill(one.pid, 'SIGKILL')
    let [before, wait] = [0, 0]
    for (const [how, delay] of [
      ['SIGKILL', 100],
      ['code 7', 200],
      ['code 7', 400],
    ] as const) {
      await server.until(new RegExp(`has ended with ${how}: the next one comes in ${delay} ms$`, 'm'))
      const now = performance.now()
      expect(now - before).toBeGreaterThan(wait)
      before = now
      wait = delay
    }
    // The other one serves.
    expect((await get(observed, '/readyz')).status).toBe(200)
    expect(await other.echo('still here')).toBe('still here')
    server.child.kill('SIGTERM')
    expect(await dismissed(other.client)).toBe(1001)
    expect(await server.exit).toBe(0)
    expect(server.said).not.toContain('comes in 800 ms')
    rmSync(dying)
  })
})

describe('a worker that comes back', () => {
  // Was wrong: for the first two seconds it had the certificate that there was at the start.
  it('has the certificate of now', async () => {
    const pems = new Certificates('first', 'second')
    pems.use('first')
    const file = folder.write('secure.json5', {
      web: { engine: 'node', listen: 'https://127.0.0.1:0', workers: 2, routes: [news('/')] },
      tls: pems.tls,
    })
    const server = new Service([file])
    const port = await server.port()
    await server.until(/has an action[^]*has an action/)
    const pids = [...server.said.matchAll(/^process (\d+) has an action$/gm)].map(([, pid]) => Number(pid))
    pems.use('second')
    await server.until(/new certificate[^]*new certificate/)
    const from = server.said.length
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await server.until(/has an action/, from)
    let name = ''
    while (name === '') name = await nameAt(port).catch(() => '')
    expect(name).toBe('second')
    pems.remove()
    server.child.kill('SIGTERM')
    expect(await server.exit).toBe(0)
  })
})

describe('a server of two workers', () => {
  const name = 'faults.json5'
  let server: Service
  let port = 0
  beforeAll(async () => {
    server = serve(name, [news('/')])
    port = await server.port()
  })

  // Was wrong: ports that stand for 0 are known by the place in the list that they had at the start.
  it('that gets another listener in front: its port stays', async () => {
    const more = await closedPort()
    configure(name, [news('/')], { listen: [`127.0.0.1:${more}`, '127.0.0.1:0'] })
    expect(await server.reload()).toBe('reloaded: 1 routes, 2 workers')
    const found = [await knock(more), await knock(port)]
    configure(name, [news('/')])
    await server.reload()
    expect(found).toEqual(['open', 'open'])
  })

  // Was wrong: the share of one is that of as many workers as the file has now, which counts after a restart.
  it('that is to have one after a restart: it closes at drainRate still', async () => {
    const web = { workers: 1, limits: { drainRate: 20 } }
    configure(name, [news('/b'), news('/')], web)
    const from = server.said.length
    await server.reload()
    await server.until(/^reload error warning: web\.workers counts after a restart$/m, from)
    const readers = await openAtAll(port, 2, 8, '/b')
    configure(name, [news('/')], web)
    const before = performance.now()
    await server.reload()
    await Promise.all(readers.map(({ client }) => dismissed(client)))
    // A fifth more than the rate, and the first of each at once.
    expect(performance.now() - before).toBeGreaterThan(((readers.length - 2) / 24) * 1000)
  })

  // Was wrong: it reads the file as it is then: one that was refused, or is being written.
  it('of which one ends while the file is wrong: it comes back with the config that is in force', async () => {
    const [one, other] = await both(port)
    folder.write(name, '{ web: { routes: [')
    expect(await server.reload()).toBe('reload error the old config stays')
    const from = server.said.length
    process.kill(one.pid, 'SIGKILL')
    // The next one either serves, or ends as well.
    const [next] = await server.until(/has ended with code 1|has an action/, from)
    configure(name, [news('/')])
    await server.until(/has an action/, from)
    leave([one, other])
    expect(next).toBe('has an action')
  })

  // Was wrong: what a worker says of a start that has failed is heard at the first start only.
  it('of which one cannot come back: it says why', async () => {
    configure(name, [mortal])
    await server.reload()
    const [one, other] = await both(port)
    folder.write('die', 'throw')
    const from = server.said.length
    process.kill(one.pid, 'SIGKILL')
    await server.until(/has ended with code 1/, from)
    rmSync(dying)
    await server.until(/has an action/, from)
    leave([one, other])
    expect(server.said.slice(from)).toContain('not any more')
  })

  // Was wrong: it was the end of the primary, and of all with it.
  it('that is to listen where it cannot: it says so and goes on', async () => {
    configure(name, [news('/')], { listen: ['127.0.0.1:0', '192.0.2.1:0'] })
    expect(await server.reload()).toMatch(
      /^reload error This machine does not have that address: .*: the old config stays$/,
    )
    expect((await get(port, '/')).status).toBe(200)
  })

  // Was wrong: lines changed their form at once, and who was started later observed in another way than the others.
  it('whose observe is changed: that counts after a restart, for all', async () => {
    configure(name, [news('/')])
    await server.reload()
    const [one, other] = await both(port)
    const from = server.said.length
    folder.write(name, {
      web: { engine: 'node', listen: '127.0.0.1:0', workers: 2, routes: [news('/')] },
      observe: { log: 'json' },
    })
    await server.reload()
    await server.until(/^reload error warning: observe counts after a restart$/m, from)
    process.kill(one.pid, 'SIGKILL')
    await server.until(/has an action/, from)
    leave([one, other, ...(await both(port))])
    configure(name, [news('/')])
    expect(await server.reload()).toBe('reloaded: 1 routes, 2 workers')
    expect(server.said.slice(from)).not.toContain('{"')
    expect(server.said.slice(from).match(/observe counts/g)).toHaveLength(1)
  })

  // Was wrong: nobody was told that it lives while one of its workers hung.
  it('of which one hangs: it lives, is ready and tells the rest, soon', async () => {
    configure(name, [news('/')])
    const observed = Number((await server.until(/^metrics on .*:(\d+)\/metrics$/m))[1])
    const [one, other] = await both(port)
    const before = (await metric(observed, 'fiberws_opens_total')) ?? 0
    process.kill(one.pid, 'SIGSTOP')
    const start = performance.now()
    expect((await get(observed, '/healthz')).status).toBe(200)
    expect((await get(observed, '/readyz')).status).toBe(200)
    expect(performance.now() - start).toBeLessThan(1500)
    expect(await metric(observed, 'fiberws_opens_total')).toBe(before)
    process.kill(one.pid, 'SIGCONT')
    leave([one, other])
  })

  // Was wrong: the other went on with what was refused.
  it('of which one cannot go on with a config: neither does', async () => {
    configure(name, [news('/')])
    await server.reload()
    const [one, other] = await both(port)
    folder.action(
      'picky.ts',
      `if (process.pid === ${one.pid}) throw new Error('not in this process')
      export { default } from './news.ts'`,
    )
    configure(name, [{ match: '/new', handler: 'action', module: './picky.ts' }])
    expect(await server.reload()).toMatch(/^reload error .*not in this process: the old config stays$/)
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(port, '/')))
    expect(new Set(answers.map(({ body }) => Number(body)))).toEqual(new Set([one.pid, other.pid]))
    leave([one, other])
  })

  // Was wrong: answers to one reload are taken for those to the next; nobody ever hears of the first.
  it('that is told to reload while it does: it says what became of each', async () => {
    const from = server.said.length
    configure(name, [slow, news('/')])
    server.child.kill('SIGHUP')
    await server.until(/^loading slow$/m, from)
    configure(name, [slow, news('/c'), news('/')])
    server.child.kill('SIGHUP')
    await server.until(/^reloaded: 3 routes, 2 workers$/m, from)
    expect(server.said.slice(from)).toMatch(/^reloaded: 2 routes, 2 workers$/m)
  })

  // Was wrong: what a process is told before it listens is lost: cluster listens, too, so that node keeps nothing for it.
  it.each(['SIGHUP', 'SIGTERM'] as const)(
    'of which one has just been started: %s reaches it',
    async (signal) => {
      configure(name, [news('/')])
      await server.reload()
      const [one, other] = await both(port)
      await replace(server, one)
      const from = server.said.length
      server.child.kill(signal)
      if (signal === 'SIGHUP') await server.until(/^reloaded: 1 routes, 2 workers$/m, from)
      else expect([await dismissed(other.client), await server.exit]).toEqual([1001, 0])
      leave([other])
    },
    6000,
  )
})
