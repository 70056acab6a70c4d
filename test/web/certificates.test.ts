import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { RouteConfig } from '../../include-types/web.ts'
import { renewCertificates } from '../../lib/web/certificates.ts'
import { Certificates, dialSecure, nameAt } from '../support/certificate.ts'
import { ask, Hosted, knock } from '../support/hosted.ts'
import { hush, LogLines } from '../support/log-lines.ts'
import { deferred } from '../support/memory.ts'
import { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const pems = new Certificates('first', 'second', 'third')
afterAll(() => pems.remove())
beforeEach(() => pems.use('first'))

const listen = 'https://127.0.0.1:0'
const NEW = /^web new certificate: connections get it from now on$/
const KEPT = /^web the certificate has changed, and the old one stays: /

describe.each(engines)('certificates on the %s engine', (engine) => {
  /** A host with the certificate that is in use. */
  async function secure(web: Parameters<Hosted['settings']>[0] = {}, prepare?: Parameters<typeof Hosted.start>[2]) {
    const hosted = await Hosted.start(engine, { listen, ...web }, prepare, pems.tls)
    const reload = (more: typeof web = {}) => hosted.host.reload(hosted.settings({ listen, ...more }, pems.tls))
    return { hosted, host: hosted.host, port: hosted.port, reload }
  }

  // Was wrong: each of the two files brings a renewal, and on uws the second one turns away who comes right behind the first.
  it('files that change are noticed: who comes gets the new one, who is there stays', async () => {
    const { host, port } = await secure()
    const log = new LogLines()
    const { client, name } = await dialSecure(port)
    expect(name).toBe('first')
    // One file, and some time later the other.
    pems.useCertificate('second')
    expect(await log.until(KEPT)).toMatch(/key\.pem does not belong to .*cert\.pem$/)
    expect(await nameAt(port)).toBe('first')
    pems.useKey('second')
    await log.until(NEW)
    expect([await nameAt(port), host.listening.length, host.listening[0]?.port]).toEqual(['second', 1, port])
    expect(await ask(client, 'still here')).toBe('still here')
    // Both, of a certificate that is watched since then.
    pems.use('third')
    await log.until(NEW)
    expect(await nameAt(port)).toBe('third')
    expect(await ask(client, 'still here')).toBe('still here')
  })

  it('a reload looks at them, too; what has not changed is left as it is', async () => {
    const { hosted, host, port, reload } = await secure()
    const { client } = await dialSecure(port, '/old')
    const { listening } = host
    const silent = await RawClient.connect(port)
    // It was taken: somebody who came later was served.
    await nameAt(port)
    expect(await reload({ headers: { 'X-New': 'yes' } })).toBe(0)
    expect(host.listening).toEqual(listening)
    // A listener that is made anew would have dropped it, or could.
    expect([await nameAt(port), silent.ended]).toEqual(['first', false])
    silent.destroy()
    pems.use('second')
    expect(await reload()).toBe(0)
    expect(await nameAt(port)).toBe('second')
    expect(await ask(client, 'still here')).toBe('still here')
    // Old and new are stopped.
    const { client: other } = await dialSecure(port, '/new')
    const stopped = host.stop()
    for (const one of [client, other]) expect((await one.frame()).payload.readUInt16BE()).toBe(1001)
    client.destroy()
    other.destroy()
    await stopped
    expect(await knock(port)).toBe('ECONNREFUSED')
    expect(hosted.closed.filter((path) => path !== '/').toSorted()).toEqual(['/new', '/old'])
  })

  it.each<[string, () => void, RegExp]>([
    ['half a certificate', () => half('cert.pem'), /is no certificate in PEM/],
    ['half a key', () => half('key.pem'), /is no private key in PEM/],
    ['nothing', () => writeFileSync(pems.file('cert.pem'), ''), /is no certificate in PEM/],
    ['another key', () => pems.useKey('third'), /key\.pem does not belong to .*cert\.pem/],
  ])('%s keeps the old one, until there is a whole pair', async (_what, spoil, why) => {
    const { hosted, host, port } = await secure()
    const log = new LogLines()
    const { client } = await dialSecure(port)
    pems.use('second')
    spoil()
    await renewCertificates(host)
    const line = await log.until(KEPT)
    expect(line).toMatch(why)
    // Nor does a reload take it.
    expect(() => hosted.settings({ listen }, pems.tls)).toThrow(/tls\.(certificate|key)/)
    expect([await nameAt(port), await ask(client, 'still here')]).toEqual(['first', 'still here'])
    pems.use('second')
    await renewCertificates(host)
    await log.until(NEW)
    expect([await nameAt(port), await ask(client, 'still here')]).toEqual(['second', 'still here'])
  })

  it('a chain that is cut off in its second part keeps the old one', async () => {
    const { host, port } = await secure()
    const log = new LogLines()
    const { client } = await dialSecure(port)
    pems.use('second')
    const chain = readFileSync(pems.file('third.pem'), 'utf8')
    writeFileSync(pems.file('cert.pem'), readFileSync(pems.file('second.pem'), 'utf8') + chain.slice(0, 300))
    await renewCertificates(host)
    await log.until(KEPT)
    expect([await nameAt(port), await ask(client, 'still here')]).toEqual(['first', 'still here'])
  })

  it('files that have not changed are nothing to tell of', async () => {
    const { host, port } = await secure()
    const log = new LogLines()
    pems.use('first')
    await renewCertificates(host)
    expect([log.lines, await nameAt(port)]).toEqual([[], 'first'])
  })

  it('a listener that is to be https is https, or stays as it is', async () => {
    const { hosted, host } = await secure({ listen: '127.0.0.1:0' })
    const { port } = hosted
    hush()
    const code = await host.reload(hosted.settings({ listen: `https://127.0.0.1:${port}` }, pems.tls))
    if (code === 0) expect(await nameAt(port)).toBe('first')
    else expect(await ask(await RawClient.open(port), 'as before')).toBe('as before')
  })

  // Was wrong: a listener is compared with the certificate that it was opened with, not with the one that it has.
  it('back to the first one, as after a renewal that was wrong', async () => {
    const { host, port } = await secure()
    const log = new LogLines()
    for (const name of ['second', 'first', 'second']) {
      pems.use(name)
      await renewCertificates(host)
      await log.until(NEW)
      expect(await nameAt(port)).toBe(name)
    }
  })

  // Was wrong: it takes the settings of before a reload that is under way, and brings them back behind it.
  it('a renewal during a reload does not undo it', async () => {
    const { hosted, host, port } = await secure()
    hush()
    const routes: RouteConfig[] = [{ match: '/new', handler: 'action' }]
    const next = hosted.settings({ listen, routes }, pems.tls)
    pems.use('second')
    await Promise.all([host.reload(next), renewCertificates(host)])
    expect(host.settings.routes.map(({ match }) => match)).toEqual(['/new'])
    expect(await nameAt(port)).toBe('second')
  })

  // Was wrong: uws drops the app of the old certificate as soon as it has neither socket nor request.
  it('who is about to say hello is not dropped', async () => {
    const { host, port } = await secure()
    hush()
    const accepted = await RawClient.connect(port)
    // It was taken: somebody who came later was served.
    await nameAt(port)
    pems.use('second')
    await renewCertificates(host)
    expect(await nameAt(port)).toBe('second')
    expect(accepted.ended).toBe(false)
    accepted.destroy()
  })

  // Was wrong: uws drops the app of the old certificate between 'nothing is asked' and 'upgraded', and throws.
  it('who waits for a role meanwhile is let in', async () => {
    const [granted, asked] = [deferred<boolean>(), deferred()]
    const routes: RouteConfig[] = [{ match: '/', handler: 'action', role: 'guest' }]
    const { host, port } = await secure({ routes }, (made) => {
      made.authorize = () => (asked.resolve(), granted.promise)
    })
    hush()
    const dialed = dialSecure(port)
    await asked.promise
    pems.use('second')
    await renewCertificates(host)
    granted.resolve(true)
    const { client, name } = await dialed
    expect([name, await ask(client, 'let in')]).toEqual(['first', 'let in'])
  })
})

/** A file that is being written. */
function half(name: string): void {
  const pem = readFileSync(pems.file(name))
  writeFileSync(pems.file(name), pem.subarray(0, pem.length / 2))
}
