import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rSetLogSink } from '../../lib/websock/log.ts'
import echo from '../../samples/echo/echo.ts'
import { close } from '../support/frames.ts'
import { RawClient } from '../support/raw.ts'
import { engines, start, type TestServer } from '../support/server.ts'
import { type Case, cases } from './cases.ts'

/** Ends of connections, as the log has them. */
const ends: (readonly [initiator: unknown, code: unknown])[] = []
let whenEnded: () => void = () => {}
beforeAll(() => {
  rSetLogSink((_level, source, message, fields) => {
    if (source !== 'conn' || message !== 'close') return
    ends.push([fields?.['initiator'], fields?.['code']])
    whenEnded()
  })
})
afterAll(() => rSetLogSink(null))

/** The first end since the list was empty. */
const nextEnd = (): Promise<(typeof ends)[0] | undefined> =>
  ends.length > 0 ? Promise.resolve(ends[0]) : new Promise((resolve) => (whenEnded = () => resolve(ends[0])))

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
    const { name, send, reply, maxMessage = 64 << 20, traps = [], by } = engine === 'uws' ? onUws(base) : onNode(base)
    const title = traps.length === 0 ? name : `${name} (websocket-run trap ${traps.join(', ')})`
    for (const split of [false, true]) {
      it(split ? `${title}, split` : title, { timeout: 60_000 }, async () => {
        const { host, port } = await serverFor(maxMessage)
        expect(host.engine?.name).toBe(engine)
        ends.length = 0
        const client = await RawClient.open(port)
        if (split) await client.sendSplit(send)
        else client.send(send)
        if (reply === null) client.socket.end()
        const answer = await client.rest()
        if (reply !== null)
          expect(answer.equals(reply), `got ${summary(answer)}, expected ${summary(reply)}`).toBe(true)
        const [initiator] = (await nextEnd()) ?? []
        if (reply !== null) expect(initiator).toBe(by)
        run++
      })
    }
  }
})

const summary = (bytes: Buffer): string => `${bytes.length} bytes ${bytes.subarray(0, 40).toString('hex')}`

/** A case as an engine has it, and who ends the connection. */
type Expected = Omit<Case, 'reply' | 'uws'> & { readonly reply: Buffer | null; readonly by: 'us' | 'peer' }

const onNode = (base: Case): Expected => ({ ...base, by: base.by ?? (base.ends === true ? 'us' : 'peer') })

/** The case as the table of differences has it. */
function onUws({ uws, ...base }: Case): Expected {
  if (uws === undefined) return onNode(base)
  const send = uws.taken ? Buffer.concat([base.send, close(1000)]) : base.send
  const by = uws.by ?? base.by ?? (base.ends === true && uws.taken !== true ? 'us' : 'peer')
  return { ...base, send, reply: uws.reply, by }
}
