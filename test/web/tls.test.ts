import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RedirectConfig, TlsConfig } from '../../include-types/web.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { webWriteResponse } from '../../lib/web/reply.ts'
import { handshake } from '../support/raw.ts'
import { engines } from '../support/server.ts'

let folder = ''
const pem = (name: string): string => join(folder, `${name}.pem`)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-tls-'))
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const subject = (name: string): string[] => ['-subj', `/CN=${name}`]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca-key.pem', '-out', 'ca.pem', ...subject('authority'))
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`, ...subject('localhost'))
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca-key.pem',
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
    )
  }
  openssl('req', '-x509', ...key, '-keyout', 'stranger-key.pem', '-out', 'stranger.pem', ...subject('stranger'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const hosts: Host[] = []
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.stop()))
})

async function serve(
  engine: 'auto' | 'node' | 'uws',
  tls: Partial<TlsConfig> = {},
  redirect: RedirectConfig[] = [],
): Promise<{ host: Host; port: number }> {
  const host = createHost(
    {
      web: {
        engine,
        listen: 'https://127.0.0.1:0',
        webSockets: { protocol: null },
        timeouts: { drain: 0.1 },
        routes: [{ handler: 'action' }],
        redirect,
      },
      tls: { certificate: pem('server'), key: pem('server-key'), ...tls },
    },
    parts,
  )
  host.addAction('/', (web) => webWriteResponse(web, 200, 'secure'))
  hosts.push(host)
  expect(await host.start()).toBe(0)
  return { host, port: host.listening[0]?.port ?? 0 }
}

/** Asks over TLS: the answer, or how it failed; and what was agreed on. */
function ask(
  port: number,
  options: ConnectionOptions = {},
): Promise<{ answer: string; protocol: string | null; cipher: string }> {
  return new Promise((resolve) => {
    let answer = ''
    let [protocol, cipher]: [string | null, string] = [null, '']
    const socket: TLSSocket = connect(
      { host: '127.0.0.1', port, servername: 'localhost', ca: readFileSync(pem('ca')), ...options },
      () => {
        protocol = socket.getProtocol()
        cipher = socket.getCipher().name
        socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
      },
    )
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    socket.on('error', (error: NodeJS.ErrnoException) => (answer ||= error.code ?? error.message))
    socket.on('close', () => resolve({ answer: answer.split('\r\n')[0] ?? '', protocol, cipher }))
  })
}
const certificate = (name: string): ConnectionOptions => ({
  cert: readFileSync(pem(name)),
  key: readFileSync(pem(`${name}-key`)),
})

describe.each(engines)('TLS on the %s engine', (engine) => {
  it('is 1.2 at least', async () => {
    const { port } = await serve(engine)
    expect(await ask(port)).toMatchObject({ answer: 'HTTP/1.1 200 OK', protocol: 'TLSv1.3' })
    expect(await ask(port, { maxVersion: 'TLSv1.2' })).toMatchObject({ answer: 'HTTP/1.1 200 OK', protocol: 'TLSv1.2' })
    const old = await ask(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    expect(old).toMatchObject({ protocol: null })
    expect(old.answer).not.toContain('HTTP')
  })

  it('who is there by https already is not sent there', async () => {
    for (const to of ['https', 'https://:443']) {
      const { port } = await serve(engine, {}, [{ to }])
      expect((await ask(port)).answer).toBe('HTTP/1.1 200 OK')
    }
    const { port } = await serve(engine, {}, [{ from: 'http', to: 'https://elsewhere' }])
    expect((await ask(port)).answer).toBe('HTTP/1.1 200 OK')
  })

  it('has the ciphers that a config allows, and no others', async () => {
    const { port } = await serve(engine, { ciphers: ['ECDHE-ECDSA-AES256-GCM-SHA384'] })
    const only = (ciphers: string): ConnectionOptions => ({ maxVersion: 'TLSv1.2', ciphers })
    expect(await ask(port, only('ECDHE-ECDSA-AES256-GCM-SHA384'))).toMatchObject({
      answer: 'HTTP/1.1 200 OK',
      cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384',
    })
    expect((await ask(port, only('ECDHE-ECDSA-AES128-GCM-SHA256'))).answer).not.toContain('HTTP')
  })
})

describe('certificates of clients', () => {
  it('issued by the authority: with it, without one, with that of a stranger', async () => {
    const { host, port } = await serve('auto', { authority: pem('ca'), verify: { client: true } })
    // Only node can ask for them.
    expect(host.engine?.name).toBe('node')
    expect((await ask(port, certificate('client'))).answer).toBe('HTTP/1.1 200 OK')
    expect((await ask(port)).answer).not.toContain('HTTP')
    expect((await ask(port, certificate('stranger'))).answer).not.toContain('HTTP')
  })

  it('any, where the issuer does not matter; none is not enough', async () => {
    const { port } = await serve('node', { verify: { client: true, issuer: false } })
    for (const name of ['client', 'stranger'])
      expect((await ask(port, certificate(name))).answer).toBe('HTTP/1.1 200 OK')
    expect((await ask(port)).answer).not.toContain('HTTP')
  })

  it('a WebSocket needs one, too', async () => {
    const { port } = await serve('node', { authority: pem('ca'), verify: { client: true } })
    const socket = connect({ host: '127.0.0.1', port, ca: readFileSync(pem('ca')), servername: 'localhost' })
    socket.on('error', () => {})
    socket.write(handshake('/'))
    const answer = await new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.on('close', () => resolve(text))
    })
    expect(answer).toBe('')
  })
})
