import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WS_EVENT_CLOSE, WS_EVENT_ERROR, WS_EVENT_OPEN } from '../../../lib/websock/constants.ts'
import { type Case, cases } from '../../conformance/cases.ts'
import { readFrames } from '../../support/frames.ts'
import { RawServer } from '../../support/raw-server.ts'
import { masksOf, swapRoles } from '../../support/roles.ts'
import { client, echoBack } from '../../support/url-client.ts'

/*
 * The cases of the server, with the roles swapped: a server without a mind of its own sends what a client sent there,
 * unmasked, and ours echoes. Its frames are masked, and the same but for that. The cases about masks turn round with
 * everything else: there a server's frame has one (RFC 6455 §5.1).
 *
 * There is no deviation in what is sent. What differs by role is who ends TCP (§7.1.1): after the closing handshake the
 * server, after a failure whoever has found it.
 */

/** Bytes at the ends of long input that go one by one: what is between was cut like that on the server. */
const EDGE = 1000

/** The first Close of the peer. */
const peerClose = ({ send }: Case): Buffer | undefined =>
  readFrames(send).frames.find(({ opcode }) => opcode === 8)?.payload

/** The Close that ends the case, as status and whether it echoes the peer's. */
function ending(base: Case): { status: number; orderly: boolean } {
  const last = readFrames(base.reply).frames.at(-1)?.payload ?? Buffer.alloc(0)
  return { status: last.length === 0 ? 1005 : last.readUInt16BE(), orderly: peerClose(base)?.equals(last) === true }
}

describe('conformance of the client', () => {
  let run = 0
  let server: RawServer
  beforeAll(async () => {
    server = await RawServer.start()
  })
  afterAll(async () => {
    await server.close()
    console.log(`conformance: ${run} cases on the client`)
  })

  for (const base of cases) {
    const { name, send, reply, maxMessage = 64 << 20, traps = [] } = base
    const title = traps.length === 0 ? name : `${name} (websocket-run trap ${traps.join(', ')})`
    const bytes = swapRoles(send)
    const { status, orderly } = ending(base)
    const masked = reply.length + 4 * readFrames(reply).frames.length
    for (const split of [false, true]) {
      it(split ? `${title}, split` : title, { timeout: 30_000 }, async () => {
        const journal = client(server.url, { maxMessage, maxFrame: 0 }, echoBack)
        const peer = await server.next()
        await peer.accept({}, split ? undefined : bytes)
        if (split) await peer.sendSplit(bytes, EDGE)
        if (orderly) {
          await peer.until(() => peer.ended || peer.length >= masked)
          expect(peer.ended, 'the client has ended TCP').toBe(false)
          peer.socket.end()
        }
        const answer = await peer.rest()
        expect(masksOf(answer)).not.toContain(null)
        const unmasked = swapRoles(answer)
        expect(unmasked.equals(reply), `got ${summary(unmasked)}, expected ${summary(reply)}`).toBe(true)

        const { run: result, orderly: wasOrderly, kinds, status: reported } = await journal.ending()
        expect(result).toBe(orderly ? 0 : -status)
        expect(wasOrderly).toBe(orderly)
        expect(reported).toBe(orderly ? status : 1006)
        expect(kinds[0]).toBe(WS_EVENT_OPEN)
        expect(kinds.slice(orderly ? -1 : -2)).toEqual(orderly ? [WS_EVENT_CLOSE] : [WS_EVENT_ERROR, WS_EVENT_CLOSE])
        run++
      })
    }
  }
})

const summary = (bytes: Buffer): string => `${bytes.length} bytes ${bytes.subarray(0, 40).toString('hex')}`
