/**
 * Measures the memory that a deflate bomb takes, in a process of its own: `bomb.ts ROLE LENGTH LIMIT`. Prints the
 * bytes on the wire, the status of the fault, and how many bytes the process has used at most, less those that it had before.
 */
import { PassThrough } from 'node:stream'
import { NodeTransport } from '../../../lib/engine/node/transport.ts'
import { bomb, deflated, Ears, packed } from './support.ts'

const [role, length, limit] = process.argv.slice(2)
const client = role === 'client'
const mask = client ? null : ([1, 2, 3, 4] as const)
const compression = { takeoverIn: true, takeoverOut: true, bits: 15 }

const stream = new PassThrough()
const ears = new Ears()
ears.maxMessage = Number(limit)
new NodeTransport(stream, Buffer.alloc(0), client, null, compression).setReceiver(ears)

const attack = packed(bomb(Number(length)), { opcode: 2, mask })
// All that is used has been loaded and has run when the count begins.
for (let i = 0; i < 100; i++) stream.write(packed(deflated(`warm-up ${i}`.repeat(300)), { mask }))
await ears.until(() => ears.messages.length === 100)
ears.messages.length = 0
const before = process.memoryUsage.rss()
stream.write(attack)
await ears.until(() => ears.fault !== null || ears.messages.length > 0)
const growth = process.resourceUsage().maxRSS * 1024 - before
console.log(attack.length, ears.fault?.status ?? 0, growth)
