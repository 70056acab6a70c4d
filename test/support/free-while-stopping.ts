/** A program that stops a host when somebody says so, and frees it when the first client has gone. Prints its port first. */
import {
  webAddAction,
  webAllocHost,
  webFreeHost,
  webGetPort,
  webSocketRun,
  webStartHost,
  webStopHost,
  WS_EVENT_CLOSE,
  WS_EVENT_MESSAGE,
} from '../../lib/index.ts'

const [, , engine] = process.argv
if (engine !== 'node' && engine !== 'uws') throw new Error('which engine?')
const routes = [{ match: '/', handler: 'action' as const }]
const limits = { drainRate: 1 }
const host = webAllocHost({ web: { engine, listen: '127.0.0.1:0', limits, routes, timeouts: { drain: '2 secs' } } })
const told = new Promise<void>((resolve) => {
  webAddAction(host, '/', ({ webSocket }) =>
    webSocketRun(webSocket, (_ws, event) => {
      if (event === WS_EVENT_MESSAGE) resolve()
      if (event === WS_EVENT_CLOSE) void webFreeHost(host).then(freed)
    }),
  )
})
let freed: () => void = () => {}
const free = new Promise<void>((resolve) => (freed = resolve))
await webStartHost(host)
console.log(webGetPort(host))
await told
await webStopHost(host)
await free
console.log('stopped and freed')
