import { createPrivateKey } from 'node:crypto'
import tls from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UrlTlsOptions, UrlWebSocketOptions } from '../../../include-types/client.ts'
import { urlWebSocketOpen } from '../../../lib/standalone.ts'
import { webSocketFree, webSocketSendClose } from '../../../lib/websock/close.ts'
import {
  R_ERR_CANT_COMPLETE,
  R_ERR_CANT_CONNECT,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_MSG_BINARY,
} from '../../../lib/websock/constants.ts'
import { webSocketGetRemoteAddress } from '../../../lib/websock/handle.ts'
import { webSocketSendBlock, webSocketSendString } from '../../../lib/websock/send.ts'
import { closedPort, RawServer } from '../../support/raw-server.ts'
import { cert, key, tlsServer } from '../../support/tls-server.ts'
import { client, refusal } from '../../support/url-client.ts'

const ca = cert

/** A message there and back. */
async function echoes(url: string, options: UrlWebSocketOptions): Promise<void> {
  const journal = client(url, options, (ws, event) => {
    if (event === WS_EVENT_OPEN) webSocketSendString(ws, 'hello')
    if (event === WS_EVENT_MESSAGE) webSocketSendClose(ws, 1000, 'bye')
  })
  expect(await journal.ending()).toMatchObject({ run: 0, status: 1000, reason: 'bye', orderly: true })
  expect(journal.texts).toEqual(['hello'])
}

/** -22, and why. */
async function fails(url: string, options: UrlWebSocketOptions, why: RegExp): Promise<void> {
  const error = await refusal(url, options)
  expect(error).toMatchObject({ code: R_ERR_CANT_CONNECT, status: 0, body: '' })
  expect(error.message).toMatch(why)
  expect(await client(url, options).result).toBe(R_ERR_CANT_CONNECT)
}

describe('the certificate of the server', () => {
  it('self-signed: refused, with the reason', async () => {
    const { port, sockets, requests } = await tlsServer()
    await fails(`wss://localhost:${port}/`, {}, /self-signed certificate/)
    await fails(`wss://127.0.0.1:${port}/`, { tls: { rejectUnauthorized: true } }, /self-signed certificate/)
    expect(requests).toEqual([])
    for (const socket of sockets) if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve))
  })

  it.each(['localhost', '127.0.0.1'])('with its ca: taken for %s', async (host) => {
    const { port } = await tlsServer()
    await echoes(`wss://${host}:${port}/`, { tls: { ca } })
    await echoes(`https://${host}:${port}/`, { tls: { ca: [ca.toString()] } })
  })

  it('with its ca, for another name: refused', async () => {
    const { port } = await tlsServer()
    await fails(`wss://localhost:${port}/`, { tls: { ca, servername: 'other.example' } }, /other\.example/)
  })

  it('servername is what is asked for, and what is checked', async () => {
    const { port, sockets } = await tlsServer()
    await echoes(`wss://127.0.0.1:${port}/`, { tls: { ca, servername: 'localhost' } })
    expect(sockets.map(({ servername }) => servername)).toEqual(['localhost'])
  })

  it('without it: the host of the URL, and none for an address (RFC 6066 §3)', async () => {
    const { port, sockets } = await tlsServer()
    await echoes(`wss://localhost:${port}/`, { tls: { ca } })
    await echoes(`wss://127.0.0.1:${port}/`, { tls: { ca } })
    expect(sockets.map(({ servername }) => servername)).toEqual(['localhost', false])
  })

  // To node the Host header is the name; ours is documented to be that of the URL.
  it("a Host header of the caller's does not change what is checked", async () => {
    const { port, sockets, requests } = await tlsServer()
    await echoes(`wss://localhost:${port}/`, { headers: { Host: 'other.example' }, tls: { ca } })
    expect(sockets.map(({ servername }) => servername)).toEqual(['localhost'])
    expect(requests).toMatchObject([{ host: 'other.example' }])
  })

  it('a Host header cannot make a wrong certificate right', async () => {
    const { port } = await tlsServer()
    const server = await RawServer.listen()
    await server.close()
    const options = { headers: { Host: 'localhost' }, tls: { ca, servername: 'other.example' } }
    await fails(`wss://127.0.0.1:${port}/`, options, /other\.example/)
  })

  it('rejectUnauthorized: false takes any', async () => {
    const { port } = await tlsServer()
    await echoes(`wss://localhost:${port}/`, { tls: { rejectUnauthorized: false } })
    await echoes(`wss://localhost:${port}/`, { tls: { rejectUnauthorized: false, servername: 'other.example' } })
  })

  it('bytes of all kinds pass', async () => {
    const { port } = await tlsServer()
    const message = Buffer.alloc(900_000, 'binary')
    const journal = client(`wss://localhost:${port}/`, { tls: { ca } }, (ws, event) => {
      if (event === WS_EVENT_OPEN) webSocketSendBlock(ws, WS_MSG_BINARY, message)
      if (event === WS_EVENT_MESSAGE) webSocketSendClose(ws)
    })
    expect(await journal.result).toBe(0)
    const [answer] = journal.texts
    expect(Buffer.isBuffer(answer) && answer.equals(message)).toBe(true)
    expect(webSocketGetRemoteAddress(journal.ws)).toBe('127.0.0.1')
  })
})

describe('the certificate of the client', () => {
  const strict = { requestCert: true, rejectUnauthorized: true, ca: cert }

  it('is sent', async () => {
    const { port, sockets } = await tlsServer(strict)
    await echoes(`wss://localhost:${port}/`, { tls: { ca, cert, key } })
    expect(sockets.map(({ authorized }) => authorized)).toEqual([true])
  })

  it('with a passphrase on its key', async () => {
    const { port } = await tlsServer(strict)
    const locked = createPrivateKey(key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'geheim',
    })
    await echoes(`wss://localhost:${port}/`, { tls: { ca, cert, key: locked, passphrase: 'geheim' } })
    const error = await refusal(`wss://localhost:${port}/`, { tls: { ca, cert, key: locked, passphrase: 'geheimer' } })
    expect(error.code).toBe(R_ERR_CANT_CONNECT)
    expect(error.message).not.toContain('geheim')
  })

  it('missing: -22', async () => {
    const { port, requests } = await tlsServer(strict)
    await fails(`wss://localhost:${port}/`, { tls: { ca } }, /./)
    expect(requests).toEqual([])
  })

  it.each<[string, UrlTlsOptions]>([
    ['a certificate that is none', { cert: 'garbage', key: 'garbage' }],
    ['a key without its certificate', { key: 'garbage' }],
    ['ciphers that nobody has', { ciphers: 'NO-SUCH-CIPHER' }],
  ])('%s: no throw', async (_name, options) => {
    const { port } = await tlsServer()
    await fails(`wss://localhost:${port}/`, { tls: { ca, ...options } }, /./)
  })
})

describe('versions and ciphers', () => {
  const oldest = tls.DEFAULT_MIN_VERSION
  beforeEach(() => {
    // What a process allows elsewhere is not what we allow.
    tls.DEFAULT_MIN_VERSION = 'TLSv1'
  })
  afterEach(() => {
    tls.DEFAULT_MIN_VERSION = oldest
  })
  const ciphers = 'DEFAULT@SECLEVEL=0'

  it('TLS 1.1 is refused, TLS 1.2 is taken', async () => {
    const old = await tlsServer({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers })
    await fails(`wss://localhost:${old.port}/`, { tls: { ca, ciphers } }, /protocol|version/)
    const { port } = await tlsServer({ maxVersion: 'TLSv1.2' })
    await echoes(`wss://localhost:${port}/`, { tls: { ca } })
  })

  it('minVersion TLSv1.3 refuses TLS 1.2', async () => {
    const old = await tlsServer({ maxVersion: 'TLSv1.2' })
    await fails(`wss://localhost:${old.port}/`, { tls: { ca, minVersion: 'TLSv1.3' } }, /protocol|version/)
    const { port, sockets } = await tlsServer()
    await echoes(`wss://localhost:${port}/`, { tls: { ca, minVersion: 'TLSv1.3' } })
    expect(sockets[0]?.getProtocol()).toBe('TLSv1.3')
  })

  it('ciphers', async () => {
    const { port, sockets } = await tlsServer({ maxVersion: 'TLSv1.2' })
    await echoes(`wss://localhost:${port}/`, { tls: { ca, ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' } })
    expect(sockets[0]?.getCipher().name).toBe('ECDHE-ECDSA-CHACHA20-POLY1305')
  })
})

describe('on the wrong side', () => {
  it('wss to a server without TLS: -22', async () => {
    const server = await RawServer.listen()
    const failing = refusal(`wss://u:geheim@127.0.0.1:${server.port}/`, { tls: { ca } })
    const peer = await server.next()
    await peer.until(() => peer.length > 0)
    expect(peer.received.toString('latin1')).not.toContain('GET')
    peer.send('HTTP/1.1 400 Bad Request\r\n\r\n')
    expect((await failing).code).toBe(R_ERR_CANT_CONNECT)
    await peer.until(() => peer.ended)
  })

  it('ws has no use for TLS options', async () => {
    const server = await RawServer.listen()
    const opening = urlWebSocketOpen(server.url, { tls: { cert: 'garbage', minVersion: 'TLSv1.3' } })
    await (await server.next()).accept()
    webSocketFree(await opening)
  })

  it('a port on which nobody listens: -22', async () => {
    await fails(`wss://127.0.0.1:${await closedPort()}/`, { tls: { ca } }, /ECONNREFUSED/)
  })

  it('a TLS handshake that stops, and is aborted: -21, and the socket is let go', async () => {
    const server = await RawServer.listen()
    const controller = new AbortController()
    const failing = refusal(`wss://127.0.0.1:${server.port}/`, { signal: controller.signal })
    const peer = await server.next()
    await peer.until(() => peer.length > 0)
    controller.abort()
    expect((await failing).code).toBe(R_ERR_CANT_COMPLETE)
    await peer.until(() => peer.ended)
  })
})
