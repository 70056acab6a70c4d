import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { parts } from '../../lib/parts.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { Certificates, nameAt } from '../support/certificate.ts'
import { ask, dismissed, Hosted, knock } from '../support/hosted.ts'
import { hush } from '../support/log-lines.ts'
import { closedPort } from '../support/raw-server.ts'
import { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const pems = new Certificates('first')
pems.use('first')
afterAll(() => pems.remove())

describe.each(engines)('listeners of a host on the %s engine', (engine) => {
  it('a stop waits for who came by one that a reload has taken away', async () => {
    const more = await closedPort()
    const timeouts = { drain: 10 }
    const hosted = await Hosted.start(engine, { listen: ['127.0.0.1:0', `127.0.0.1:${more}`], timeouts })
    const client = await RawClient.open(more, '/')
    const [ws] = hosted.host.sockets
    expect(await hosted.reload({ timeouts })).toBe(0)
    expect(await knock(more)).toBe('ECONNREFUSED')
    let stopped = false
    const stop = hosted.host.stop().then(() => (stopped = true))
    await client.until(() => client.length >= 4)
    for (let i = 0; i < 20; i++) await turn()
    expect(stopped).toBe(false)
    expect(await dismissed(client)).toBe(1001)
    await stop
    expect(ws?.ending).toMatchObject({ orderly: true, status: 1001 })
  })

  // Was wrong: one that stands there twice was taken for the one that stood there once.
  it('may be more of the same, and fewer', async () => {
    const hosted = await Hosted.start(engine, {})
    const { port } = hosted
    expect(await hosted.reload({ listen: ['127.0.0.1:0', '127.0.0.1:0'] })).toBe(0)
    const [, second = 0] = hosted.host.listening.map((one) => one.port)
    expect([hosted.port, await knock(port), await knock(second)]).toEqual([port, 'open', 'open'])
    expect(await hosted.reload({})).toBe(0)
    expect([await knock(port), await knock(second)]).toEqual(['open', 'ECONNREFUSED'])
  })

  it('one that is to be http is http, or stays as it is and the reload says so', async () => {
    const port = await closedPort()
    const hosted = await Hosted.start(engine, { listen: `https://127.0.0.1:${port}` }, () => {}, pems.tls)
    hush()
    const code = await hosted.reload({ listen: `127.0.0.1:${port}` })
    if (code === 0) expect(await ask(await RawClient.open(port), 'plain')).toBe('plain')
    else expect([code, await nameAt(port)]).toEqual([-28, 'first'])
  })
})

describe.each(engines)('a server of the %s engine', (engine) => {
  it('that is told to stop while it opens a listener has none', async () => {
    const port = await closedPort()
    const {
      server: options,
      endpoints,
      engine: choice,
    } = checkConfig({ web: { engine, listen: `127.0.0.1:${port}` } }, '/')
    const { engine: made } = await parts.selectEngine(choice)
    const server = made.createServer(options, () => {})
    const opened = Promise.all(endpoints.map((endpoint) => server.listen(endpoint)))
    const refused = expect(opened).rejects.toThrow('The server stops')
    await server.stopListening()
    await refused
    expect(await knock(port)).toBe('ECONNREFUSED')
  })
})

it('a reload that asks for certificates of clients, which counts after a restart, is refused', async () => {
  const listen = 'https://127.0.0.1:0'
  const hosted = await Hosted.start('node', { listen }, () => {}, pems.tls)
  const { host, port } = hosted
  const settings = hosted.settings({ listen }, { ...pems.tls, verify: { client: true, issuer: false } })
  expect([await host.reload(settings), host.error]).toEqual([-28, 'tls.verify cannot be changed without a restart'])
  expect(await nameAt(port)).toBe('first')
})
