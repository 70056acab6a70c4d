import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { WS_EVENT_CLOSE } from '../../lib/websock/constants.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { GUARDED, open } from '../support/door.ts'
import { deferred } from '../support/memory.ts'
import { handshake } from '../support/raw.ts'
import { engines } from '../support/server.ts'

describe.each(engines)('a role that is granted later on the %s engine', (engine) => {
  // Was wrong: uws. Granted from within another request, before that one's handler has returned to uWebSockets.js (a promise that
  // is resolved there is enough), the upgrade ends the process: "Cork buffer must not be held across event loop iterations!"
  it('by another request', async () => {
    const program = join(import.meta.dirname, '../support/approval.ts')
    const ended = await new Promise<string>((resolve) => {
      execFile(process.execPath, ['--import', 'tsx', program, engine], (error, out, err) => {
        resolve(error === null ? out : `${error.signal} ${err}`)
      })
    })
    expect(ended).toBe('200 101\n')
  })

  /** A handshake whose role is granted when its client has said something more; and what becomes of the connection. */
  async function granted(then: 'FIN' | 'RST') {
    const [asked, decided] = [deferred(), deferred<boolean>()]
    const events: number[] = []
    const door = await open(engine, GUARDED, {
      actions: {
        '/slow': (web) => webSocketRun(web.webSocket, (_ws, event) => void events.push(event)),
        '/': () => {},
      },
      authorize: () => {
        asked.resolve()
        return decided.promise
      },
    })
    const client = await door.connect()
    client.send(handshake('/slow'))
    await asked.promise
    if (then === 'RST') client.reset()
    else await new Promise<void>((resolve) => client.socket.end(resolve))
    // The server has heard of it when it has answered what was sent behind it.
    for (let i = 0; i < 3; i++) await door.get()
    decided.resolve(true)
    for (let i = 0; i < 3; i++) await door.get()
    await turn()
    return { door, events }
  }

  it('to who has gone: there is no connection', async () => {
    const { door, events } = await granted('RST')
    expect([door.host.connections, events]).toEqual([0, []])
  })

  // Was wrong: node. The end of TCP came before anybody listened for it: the connection stays until `timeouts.inactivity`, or for ever.
  it('to who has ended TCP: the connection ends, or there is none', async () => {
    const { door, events } = await granted('FIN')
    expect(door.host.connections).toBe(0)
    expect([undefined, WS_EVENT_CLOSE]).toContain(events.at(-1))
  })
})
