import { createHook } from 'node:async_hooks'
import { MESSAGE_END } from '../../lib/engine/port.ts'
import { webSocketSetView } from '../../lib/websock/handle.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { bench } from './memory.ts'

/** Delivers a prepared payload over and over, and prints calls, bytes, promises and heap growth. Needs --expose-gc. */
const { ws, transport } = bench().connect()
webSocketSetView(ws, true)
let calls = 0
let bytes = 0
void webSocketRun(ws, (_ws, _event, _buf, len) => {
  calls++
  bytes += len
})
const payload = Buffer.from('prepared payload')

// The receiver is what an engine calls; the memory transport in between would cost allocations of its own.
const deliver = (count: number): void =>
  transport.input((receiver) => {
    for (let i = 0; i < count; i++) {
      receiver.onActivity()
      receiver.onFrame(payload.length)
      receiver.onData(payload, true, MESSAGE_END)
    }
  })

deliver(100_000)
globalThis.gc?.()
const before = process.memoryUsage().heapUsed
deliver(1_000_000)
const grown = process.memoryUsage().heapUsed - before

let promises = 0
const hook = createHook({
  init(_id, type) {
    if (type === 'PROMISE') promises++
  },
})
hook.enable()
deliver(100_000)
hook.disable()
console.log(calls, bytes, promises, grown)
