import { afterAll, describe, expect, it } from 'vitest'
import echo from '../../samples/echo/echo.ts'
import { close } from '../support/frames.ts'
import { RawClient } from '../support/raw.ts'
import { engines, start, type TestServer } from '../support/server.ts'
import { type Case, cases } from './cases.ts'

// The echo sample answers: what users start from is what is measured.
describe.each(engines)('conformance on the %s engine', (engine) => {
  const servers = new Map<number, Promise<TestServer>>()
  const serverFor = (maxMessage: number): Promise<TestServer> => {
    const server =
      servers.get(maxMessage) ?? start(engine, echo, { limits: { maxMessage }, timeouts: { inactivity: '5min' } })
    servers.set(maxMessage, server)
    return server
  }
  let run = 0
  afterAll(async () => {
    for (const server of servers.values()) await (await server).host.stop()
    console.log(`conformance: ${run} cases on the ${engine} engine`)
  })

  for (const base of cases) {
    const { name, send, reply, maxMessage = 64 << 20, traps = [] } = engine === 'uws' ? onUws(base) : base
    const title = traps.length === 0 ? name : `${name} (websocket-run trap ${traps.join(', ')})`
    for (const split of [false, true]) {
      it(split ? `${title}, split` : title, { timeout: 60_000 }, async () => {
        const { host, port } = await serverFor(maxMessage)
        expect(host.engine?.name).toBe(engine)
        const client = await RawClient.open(port)
        if (split) await client.sendSplit(send)
        else client.send(send)
        if (reply === null) client.socket.end()
        const answer = await client.rest()
        if (reply !== null)
          expect(answer.equals(reply), `got ${summary(answer)}, expected ${summary(reply)}`).toBe(true)
        run++
      })
    }
  }
})

const summary = (bytes: Buffer): string => `${bytes.length} bytes ${bytes.subarray(0, 40).toString('hex')}`

/** The case as the table of differences has it. */
function onUws({ uws, ...base }: Case): Omit<Case, 'reply' | 'uws'> & { reply: Buffer | null } {
  if (uws === undefined) return base
  const send = uws.taken ? Buffer.concat([base.send, close(1000)]) : base.send
  return { ...base, send, reply: uws.reply }
}
