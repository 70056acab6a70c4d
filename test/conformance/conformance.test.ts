import { afterAll, describe, expect, it } from 'vitest'
import echo from '../../samples/echo/echo.ts'
import { RawClient } from '../support/raw.ts'
import { engines, start, type TestServer } from '../support/server.ts'
import { cases } from './cases.ts'

// The echo sample answers: what users start from is what is measured.
describe.each(engines)('conformance on the %s engine', (engine) => {
  const servers = new Map<number, Promise<TestServer>>()
  const serverFor = (maxMessage: number): Promise<TestServer> => {
    const server = servers.get(maxMessage) ?? start(engine, echo, { limits: { maxMessage } })
    servers.set(maxMessage, server)
    return server
  }
  let run = 0
  afterAll(async () => {
    for (const server of servers.values()) await (await server).host.stop()
    console.log(`conformance: ${run} cases on the ${engine} engine`)
  })

  for (const { name, send, reply, maxMessage = 64 << 20, traps = [] } of cases) {
    const title = traps.length === 0 ? name : `${name} (websocket-run trap ${traps.join(', ')})`
    for (const split of [false, true]) {
      it(split ? `${title}, split` : title, { timeout: 60_000 }, async () => {
        const { host, port } = await serverFor(maxMessage)
        expect(host.engine?.name).toBe(engine)
        const client = await RawClient.open(port)
        if (split) await client.sendSplit(send)
        else client.send(send)
        const answer = await client.rest()
        expect(answer.equals(reply), `got ${summary(answer)}, expected ${summary(reply)}`).toBe(true)
        run++
      })
    }
  }
})

const summary = (bytes: Buffer): string => `${bytes.length} bytes ${bytes.subarray(0, 40).toString('hex')}`
