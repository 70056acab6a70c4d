import { spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engines, type Child, isInstalled, serve, type Server, start, START } from './support.ts'

/** Debian's own, which has Debian's python3-websockets; another may come first in PATH. */
const PYTHON = '/usr/bin/python3'
const installed = isInstalled('python3-websockets', spawnSync(PYTHON, ['-c', 'import websockets']).status === 0)

/** Starts a script of the folder beside this file. */
const script = (name: string, url: string): Child =>
  start(PYTHON, [fileURLToPath(new URL(`python/${name}.py`, import.meta.url)), url])

/** Its assertions hold when it ends with 0; otherwise it has said a traceback. */
async function succeeds(child: Child): Promise<void> {
  expect({ end: await child.ended, said: child.said() }).toMatchObject({ end: 'exit code 0' })
}

describe.skipIf(!installed).each(engines)('python3-websockets and the %s engine', (engine) => {
  let server: Server
  beforeAll(async () => {
    server = await serve(engine)
  }, START)
  afterAll(() => server.stop(), START)

  it.each([
    ['messages', 'text (ASCII, multi-byte, empty, 64 KB) and binary'],
    ['fragments', 'messages in fragments'],
    ['ping', 'a ping brings its payload back'],
    ['order', '1,000 messages in order'],
    ['close', 'Close comes back with code and reason'],
    ['handshake', 'sub-protocols and origins: chat, 400, 403'],
  ])('%s.py: %s', (name) => succeeds(script(name, `${server.url}/echo`)))

  it('large.py: 16 MB of text and of binary', async () => {
    const child = script('large', `${server.url}/echo`)
    await succeeds(child)
    console.log(child.said().trim())
  })

  it("seed.py: the skill's handler at /ws/", () => succeeds(script('seed', `${server.url}/ws/`)))

  it('stop.py: a server that stops says 1001 to every client', async () => {
    const stopping = await serve(engine)
    const child = script('stop', `${stopping.url}/echo`)
    const connected = new Promise<void>((resolve) => {
      createInterface(child.process.stdout).on('line', (line) => line === 'connected' && resolve())
    })
    await Promise.race([connected, child.ended])
    await stopping.stop()
    await succeeds(child)
  })
})
