import { connect, type ConnectionOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parts } from '../../lib/parts.ts'
import { createHost } from '../../lib/web/host.ts'
import { AgentServer, toFrame } from '../support/agent.ts'
import { Certificates, dialSecure } from '../support/certificate.ts'
import { text } from '../support/frames.ts'
import { takeAnswer } from '../support/knock.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

let certificates: Certificates | null = null
beforeAll(() => {
  certificates = new Certificates('agent')
  certificates.use('agent')
})
afterAll(() => certificates?.remove())

const ssl = () => ({
  sslCertfile: certificates?.tls.certificate ?? '',
  sslKeyfile: certificates?.tls.key ?? '',
})

/** What version both agree on; null for none. */
const versionOf = (port: number, options: ConnectionOptions): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
      resolve(socket.getProtocol())
      socket.destroy()
    })
    socket.on('error', () => resolve(null))
    socket.on('close', () => resolve(null))
  })

describe.each(engines)('TLS of the agent channel on %s', (engine) => {
  it('trap 39: a handshake with 1.1 fails, one with 1.2 or 1.3 does not', async () => {
    const { port } = await AgentServer.start(engine, ssl())
    // Without that, the client itself would refuse it.
    const old = { ciphers: 'DEFAULT@SECLEVEL=0' }
    expect(await versionOf(port, { ...old, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).toBeNull()
    expect(await versionOf(port, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).toBe('TLSv1.2')
    expect(await versionOf(port, { minVersion: 'TLSv1.3' })).toBe('TLSv1.3')
  })

  it('has socket and tokens behind one port, with the certificate of the config', async () => {
    const server = await AgentServer.start(engine, {
      ...ssl(),
      path: '/ws',
      tokenIssuePath: '/auth',
      websocketRequiresToken: true,
      tokenIssueSecret: 'hush-hush',
    })
    expect(server.host.listening.length).toBe(1)
    const asking = await new Promise<RawClient>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () =>
        resolve(new RawClient(socket)),
      )
      socket.once('error', reject)
    })
    asking.send(handshake('/auth', { 'Upgrade': null, 'Connection': null, 'X-Nanobot-Auth': 'hush-hush' }))
    const { status, body } = await takeAnswer(asking)
    expect(status).toBe(200)
    asking.destroy()
    const token = /nbwt_[\w-]{43}/.exec(body)?.[0]
    const { client, name } = await dialSecure(server.port, `/ws?client_id=alice&token=${token}`)
    expect(name).toBe('agent')
    expect(toFrame((await client.frame()).payload.toString())).toMatchObject({ event: 'ready', client_id: 'alice' })
    client.send(text('hello'))
    expect(toFrame((await client.frame()).payload.toString())).toMatchObject({ event: 'delta', text: 'hello' })
    client.destroy()
  })

  it('where it is on, nothing is served without it', async () => {
    const { port } = await AgentServer.start(engine, ssl())
    const client = await RawClient.connect(port)
    client.send(handshake('/'))
    expect((await client.rest()).toString('latin1')).not.toContain('HTTP/1.1 101')
  })
})

describe.each(engines)('a channel that does not run on %s', (engine) => {
  it('trap 38: may be stopped, and freed, and stopped again', async () => {
    const host = createHost({ web: { engine }, channels: { websocket: { enabled: true, port: 0 } } }, parts)
    await host.stop()
    await host.stop()
    expect(await host.start()).toBe(0)
    await host.stop()
    await host.free()
    await host.stop()
    expect(host.listening).toEqual([])
  })
})
