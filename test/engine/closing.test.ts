import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { UwsApp } from '../../lib/engine/uws/app.ts'
import { loadNative, type NativeApp, type NativeBehavior } from '../../lib/engine/uws/native.ts'
import { WS_EVENT_MESSAGE, webSocketRun, webSocketSendBlock } from '../../lib/index.ts'
import { byEngine } from '../support/differences.ts'
import { close, frame } from '../support/frames.ts'
import { RawClient } from '../support/raw.ts'
import { engines, serve } from '../support/server.ts'
import { OPTIONS } from './uws/support.ts'

const SIZE = 8 << 20
/** What a peer should get: its message, and the answer to its Close. */
const WHOLE = SIZE + 10 + 4

/** Sends much, says Close, and reads only later: what came back until the end of TCP, in bytes. */
async function readLate(port: number, ms: number): Promise<number> {
  const { socket } = await RawClient.open(port)
  socket.removeAllListeners('data')
  socket.pause()
  socket.write(frame({ opcode: 2, payload: Buffer.alloc(SIZE) }))
  socket.write(close(1000))
  await sleep(ms)
  let bytes = 0
  socket.on('data', (chunk) => (bytes += chunk.length))
  socket.resume()
  socket.on('end', () => socket.end())
  await once(socket, 'close')
  return bytes
}

describe('a peer that has said Close', () => {
  it('gets what waits for it, also when it pauses for some seconds before it reads', { timeout: 20_000 }, async () => {
    const check = async (engine: (typeof engines)[number]): Promise<void> => {
      const { port } = await serve(
        engine,
        (web) =>
          webSocketRun(web.webSocket, (ws, event, buf) => {
            if (event === WS_EVENT_MESSAGE && ws !== null) webSocketSendBlock(ws, ws.type, buf)
          }),
        { limits: { maxMessage: SIZE, maxFrame: SIZE }, timeouts: { inactivity: '5min' } },
      )
      // uWebSockets.js looks every 4 s for who has had his time: 4.4 s have one such moment in them, whenever they begin.
      const [soon, late] = await Promise.all([readLate(port, 4400), readLate(port, 6000)])
      expect(soon).toBe(WHOLE)
      const cut = byEngine(engine, 'peer that has closed and does not read on', { node: true, uws: false })
      expect(late < WHOLE).toBe(cut)
    }
    await Promise.all(engines.map(check))
  })
})

describe('what uWebSockets.js is asked for', () => {
  /** By an app, of a host that allows so much silence. */
  async function behaviorFor(inactivity: number): Promise<NativeBehavior> {
    const native = await loadNative()
    const behaviors: NativeBehavior[] = []
    const app: NativeApp = {
      ws: (_path, behavior) => void behaviors.push(behavior),
      any: () => {},
      filter: () => {},
      listen: () => {},
      publish: () => false,
      numSubscribers: () => 0,
      close: () => {},
    }
    const owner = { options: { ...OPTIONS, inactivity }, stopping: false, onExchange: () => {}, onEnd: () => {} }
    expect(new UwsApp({ ...native, App: () => app }, null, owner, { name: '', connections: 0 }).native).toBe(app)
    expect(behaviors).toHaveLength(1)
    return behaviors[0]!
  }

  it('pings for who is silent for 16 minutes, where the host has a limit of its own', async () => {
    const found = await behaviorFor(300_000)
    const { node, uws } = { node: {}, uws: { idleTimeout: 960, sendPingsAutomatically: true } }
    expect(found).toMatchObject(byEngine('uws', 'peer that is silent for 16 min', { node, uws }))
  })

  it('no timers where it has none', async () => {
    expect(await behaviorFor(Infinity)).toMatchObject({ idleTimeout: 0, sendPingsAutomatically: false })
  })

  // uWebSockets.js alone, 20,000 upgrades that came later: with code to compile in that handler 88 connections ended behind
  // their 101, without any none.
  it('trap 49: an `open` handler without code of ours', async () => {
    const { open } = await behaviorFor(Infinity)
    expect(Function.prototype.toString.call(open)).toBe('function () { [native code] }')
  })
})
