import { spawnSync } from 'node:child_process'
import http from 'node:http'
import https from 'node:https'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Certificates } from '../support/certificate.ts'
import { installed as hasChromium, launch } from './chromium.ts'
import { type Child, engines, isInstalled, serve, type Server, start, START } from './support.ts'

/*
 * Clients of nanobot, and a page. The documentation that is implemented has a client and configs: they are used as they stand
 * there, but for the port, which is that of a server of the test.
 */

const PYTHON = '/usr/bin/python3'
const installed = isInstalled('python3-websockets', spawnSync(PYTHON, ['-c', 'import websockets']).status === 0)

const folder = mkdtempSync(join(tmpdir(), 'fiberws-nanobot-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Starts the command with a config, and waits for nanobot's own words. */
async function startChannel(config: string, engine: string): Promise<{ child: Child; url: string; port: number }> {
  const file = join(folder, `${Math.random()}.json`)
  writeFileSync(file, config)
  const child = start(process.execPath, ['--import', 'tsx', 'lib/cli.ts', file, '--engine', engine])
  const url = await said(child, /^WebSocket server listening on (\S+)$/m)
  return { child, url, port: Number(new URL(url).port) }
}

async function said(child: Child, pattern: RegExp): Promise<string> {
  for (;;) {
    const [, found] = pattern.exec(child.said()) ?? []
    if (found !== undefined) return found
    await Promise.race([
      new Promise((resolve) => child.process.stdout.once('data', resolve)),
      child.ended.then((end) => Promise.reject(new Error(`${end}: ${child.said()}`))),
    ])
  }
}

async function stop(child: Child): Promise<void> {
  child.process.kill('SIGTERM')
  expect(await child.ended, child.said()).toBe('exit code 0')
}

/** What a Python program prints. */
async function python(program: string, ...args: string[]): Promise<string> {
  const child = start(PYTHON, ['-c', program, ...args])
  const end = await child.ended
  expect({ end, said: child.said() }).toMatchObject({ end: 'exit code 0' })
  return child.said()
}

const CLIENT = readFileSync(fileURLToPath(new URL('python/nanobot.py', import.meta.url)), 'utf8')

/** Connects, asks, and prints the first frame and the text of the whole answer; or the status of the refusal. */
const TALK = `
import asyncio, json, ssl, sys, websockets

async def main(url):
    context = None
    if url.startswith("wss"):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        async with websockets.connect(url, ssl=context) as ws:
            print(await ws.recv())
            await ws.send("Hello nanobot!")
            text = ""
            while True:
                frame = json.loads(await ws.recv())
                text += frame.get("text", "")
                if frame["event"] != "delta":
                    break
            print(text)
    except Exception as error:
        print(type(error).__name__, error)

asyncio.run(main(sys.argv[1]))
`

/** As a back end asks for a token. */
function get(url: string, secret: string): Promise<string> {
  const options = { headers: { Authorization: `Bearer ${secret}` }, rejectUnauthorized: false }
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https') ? https.get(url, options) : http.get(url, options)
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(text))
    })
  })
}

const READY = /^\{"event":"ready","chat_id":"[0-9a-f-]{36}","client_id":"alice"\}\nHello nanobot!\n$/

describe.skipIf(!installed).each(engines)("nanobot's documentation and the %s engine", (engine) => {
  it('its client, with what `npm start` serves', { timeout: START }, async () => {
    const child = start(process.execPath, [
      '--import',
      'tsx',
      'lib/cli.ts',
      'samples/web.json5',
      '--engine',
      engine,
      '--listen',
      '127.0.0.1:0',
      '--data',
      join(folder, engine),
    ])
    const port = await said(child, /^WebSocket server listening on ws:\/\/127\.0\.0\.1:(\d+)\/$/m)
    const printed = await python(CLIENT.replaceAll(':8765', `:${port}`))
    expect(printed).toMatch(/^\{'event': 'ready', 'chat_id': '[0-9a-f-]{36}', 'client_id': 'alice'\}\nHello \n$/)
    await stop(child)
  })

  it('a trusted network, without a credential', { timeout: START }, async () => {
    const { child, url } = await startChannel(
      `{
  "channels": {
    "websocket": {
      "enabled": true,
      "host": "127.0.0.1",
      "port": 8765,
      "path": "/",
      "websocketRequiresToken": false,
      "allowFrom": ["*"],
      "streaming": true
    }
  }
}`,
      engine,
    )
    expect(await python(TALK, `${url}?client_id=alice`)).toMatch(READY)
    await stop(child)
  })

  it('a static token, and two who may come', { timeout: START }, async () => {
    const { child, url } = await startChannel(
      '{"channels": {"websocket": {"enabled": true, "token": "my-shared-secret", "allowFrom": ["alice", "bob"]}}}',
      engine,
    )
    expect(await python(TALK, `${url}?token=my-shared-secret&client_id=alice`)).toMatch(READY)
    expect(await python(TALK, `${url}?token=other&client_id=alice`)).toMatch(/401/)
    expect(await python(TALK, `${url}?token=my-shared-secret&client_id=carol`)).toMatch(/403/)
    await stop(child)
  })

  it.each([false, true])('issued tokens, in public: %s', { timeout: START }, async (open) => {
    const certificates = new Certificates('server')
    const [host, secret] = open ? ['0.0.0.0', 'production-secret'] : ['127.0.0.1', 'your-secret-here']
    const block = {
      enabled: true,
      host,
      port: 8765,
      path: '/ws',
      tokenIssuePath: '/auth/token',
      tokenIssueSecret: secret,
      websocketRequiresToken: true,
      allowFrom: ['*'],
      ...(open
        ? { sslCertfile: certificates.file('server.pem'), sslKeyfile: certificates.file('server-key.pem') }
        : { tokenTtlS: 300, streaming: true }),
    }
    const { child, port } = await startChannel(JSON.stringify({ channels: { websocket: block } }), engine)
    const base = `${open ? 'https' : 'http'}://127.0.0.1:${port}`
    const issued: unknown = JSON.parse(await get(`${base}/auth/token`, secret))
    expect(issued).toEqual({ token: expect.stringMatching(/^nbwt_[\w-]{43}$/) as unknown, expires_in: 300 })
    const token = typeof issued === 'object' && issued !== null && 'token' in issued ? String(issued.token) : ''
    const url = `${base.replace('http', 'ws')}/ws?client_id=alice&token=${token}`
    expect(await python(TALK, url)).toMatch(READY)
    expect(await python(TALK, url)).toMatch(/401/)
    expect(child.said()).not.toContain(token)
    expect(child.said()).not.toContain(secret)
    await stop(child)
    certificates.remove()
  })

  it('a path of its own: without a token everybody gets 401, as there', { timeout: START }, async () => {
    const { child, url } = await startChannel(
      '{"channels": {"websocket": {"enabled": true, "path": "/chat/ws", "allowFrom": ["*"]}}}',
      engine,
    )
    expect(url).toMatch(/\/chat\/ws$/)
    expect(await python(TALK, `${url}/?client_id=alice`)).toMatch(/401/)
    expect(child.said()).toMatch(/no credential can be accepted/)
    await stop(child)
  })
})

describe.skipIf(!hasChromium).each(engines)('a page in Chromium and the %s engine', (engine) => {
  let server: Server
  let browser: Browser
  beforeAll(async () => {
    server = await serve(engine, 'samples/agent/web.json5')
    browser = await launch()
  }, START)
  afterAll(async () => {
    await browser.close()
    await server.stop()
  }, START)

  it('streams an answer, and goes on with it after a reload', { timeout: START }, async () => {
    const page = await browser.newPage()
    const frames: string[] = []
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(payload.toString())))
    await page.goto(`http://127.0.0.1:${server.port}/`)
    await page.getByText('open', { exact: true }).waitFor()
    await page.getByLabel('Say').fill('first')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('You said: first. That was the first thing.').waitFor()
    expect(frames.filter((frame) => frame.includes('"event":"delta"')).length).toBeGreaterThan(3)
    await page.getByLabel('Say').fill('second')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('You said: second. ').waitFor()
    await page.reload()
    await page.getByText('You said: second. Before that: first.').waitFor()
    expect(await page.getByRole('listitem').allTextContents()).toEqual([
      'first',
      'You said: first. That was the first thing.',
      'second',
      'You said: second. Before that: first.',
    ])
    expect(frames.some((frame) => /"event":"ready".*"resumed":true/.test(frame))).toBe(true)
  })
})
