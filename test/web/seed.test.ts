import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  type Web,
  webSocketGetCloseReason,
  type WebSocketProc,
  webSocketRun,
  webSocketSend,
  WS_EVENT_CLOSE,
  WS_EVENT_MESSAGE,
} from '../../lib/index.ts'
import { parts } from '../../lib/parts.ts'
import { loadConfig } from '../../lib/web/config/load.ts'
import { createHost } from '../../lib/web/host.ts'
import { close, text } from '../support/frames.ts'
import { ask } from '../support/http.ts'
import { deferred } from '../support/memory.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

/** The config of the WebSocket skill, as it stands there. */
const SEED = `{
    web: {
        webSockets: {
            protocol: 'chat',
            ping: 'never',
        },
        routes: [
            { match: '/ws/', handler: 'action' },
            { match: '/',    handler: 'file', documents: './site' },
        ],
    }
}
`

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-seed-'))
  writeFileSync(join(folder, 'ioto.json5'), SEED)
  mkdirSync(join(folder, 'site'))
  writeFileSync(join(folder, 'site/index.html'), '<p>home</p>')
})
afterAll(() => rmSync(folder, { recursive: true }))

it.each(engines)("the skill's config runs as it is, with its handler, on the %s engine", async (engine) => {
  const settings = loadConfig(join(folder, 'ioto.json5'), { flags: { engine, listen: ['127.0.0.1:0'] } })
  const host = createHost(settings, parts)
  const reason = deferred<string | null>()
  const onWebSocket: WebSocketProc = (ws, event, buf) => {
    if (event === WS_EVENT_MESSAGE) webSocketSend(ws, 'echo: %s', buf)
    if (event === WS_EVENT_CLOSE) reason.resolve(webSocketGetCloseReason(ws))
  }
  host.addAction('/ws/', (web: Web) => webSocketRun(web.webSocket, onWebSocket, null, null, 30_000))
  expect(await host.start()).toBe(0)
  expect(host.warnings).toEqual([])
  const port = host.listening[0]?.port ?? 0
  expect(String((await ask(port, '/')).body)).toBe('<p>home</p>')
  const client = await RawClient.connect(port)
  client.send(handshake('/ws/telemetry', { 'Sec-WebSocket-Protocol': 'chat' }))
  const { status, head } = await client.response()
  expect([status, /^Sec-WebSocket-Protocol: (.*)$/m.exec(head)?.[1]]).toEqual([101, 'chat'])
  client.send(text('hello'))
  expect(String((await client.frame()).payload)).toBe('echo: hello')
  client.send(close(1000, 'enough'))
  expect(await reason.promise).toBe('enough')
  client.destroy()
  await host.free()
})
