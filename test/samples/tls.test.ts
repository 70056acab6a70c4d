import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { commandOf, engines, Peer, Program, ROOT } from './support.ts'

// The samples in a folder of their own, where the command of the README may leave a certificate.
const folder = mkdtempSync(join(tmpdir(), 'fiberws-samples-'))
const [makeCertificate = '', start = ''] = commandOf('tls').split(' && ')
beforeAll(() => {
  cpSync(join(ROOT, 'samples'), join(folder, 'samples'), { recursive: true, filter: (name) => !name.endsWith('.pem') })
  for (const name of ['lib', 'node_modules', 'package.json', 'tsconfig.json'])
    symlinkSync(join(ROOT, name), join(folder, name))
  execFileSync(makeCertificate, { cwd: folder, stdio: 'pipe' })
})
afterAll(() => rmSync(folder, { recursive: true }))

it.concurrent.each(engines)('tls: https and wss with a certificate of our own, on %s', async (engine) => {
  const listen = ['--listen', 'https://127.0.0.1:0', '--listen', 'http://127.0.0.1:0']
  const sample = new Program(start, { more: ['--engine', engine, ...listen], cwd: folder })
  const at = `127.0.0.1:${await sample.port()}`
  const ca = readFileSync(join(folder, 'samples/tls/cert.pem'))

  const page = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`https://${at}/`, { ca, agent: false }, resolve).once('error', reject)
  })
  expect(await text(page)).toContain('<title>fiberws echo</title>')
  expect(page.headers).toMatchObject({
    'strict-transport-security': 'max-age=86400',
    'content-security-policy': "default-src 'self'; connect-src 'self' wss:; img-src 'self' data:",
    'vary': 'Accept-Encoding',
  })
  expect(page.headers['cache-control']).toBeUndefined()
  const script = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`https://${at}/console.js`, { ca, agent: false }, resolve).once('error', reject)
  })
  script.resume()
  expect([script.statusCode, script.headers['cache-control']]).toEqual([200, 'max-age=60'])

  // Who comes by http is sent to where the config says.
  const plain = (await sample.until(/listening on (http:\S+)/))[1] ?? ''
  const sent = await fetch(`${plain}/console.js?x=1`, { redirect: 'manual' })
  expect([sent.status, sent.headers.get('location')]).toEqual([308, 'https://127.0.0.1:8443/console.js?x=1'])

  const peer = await Peer.open(`wss://${at}/echo`, { ca })
  peer.say('grüße')
  expect(await peer.hear()).toBe('grüße')
  peer.say('x'.repeat(1 << 20))
  expect((await peer.hear()).length).toBe(1 << 20)

  await expect(Peer.open(`wss://${at}/echo`)).rejects.toThrow('self-signed certificate')
  await expect(Peer.open(`ws://${at}/echo`)).rejects.toThrow()

  const stopped = sample.stop()
  expect(await peer.closed).toBe(1001)
  await stopped
})
