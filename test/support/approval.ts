/**
 * A program of its own, for it may not survive: `tsx approval.ts ENGINE`. A handshake waits for its role until another request
 * grants it; both are answered. Exits with 0.
 */
import { parts } from '../../lib/parts.ts'
import { createHost } from '../../lib/web/host.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { handshake, RawClient } from './raw.ts'

const engine = process.argv[2] === 'uws' ? 'uws' : 'node'
let grant: (granted: boolean) => void = () => {}
let asked: () => void = () => {}
const routes = [
  { match: '/waits', handler: 'action' as const, role: 'guest' },
  { match: '/', handler: 'action' as const },
]
const host = createHost({ web: { engine, listen: '127.0.0.1:0', routes } }, parts)
host.addAction('/waits', (web) => webSocketRun(web.webSocket, () => {}))
host.addAction('/grant', () => grant(true))
host.authorize = () =>
  new Promise((resolve) => {
    grant = resolve
    asked()
  })
await host.start()
const port = host.listening[0]?.port ?? 0
const guest = await RawClient.connect(port)
const isAsked = new Promise<void>((resolve) => (asked = resolve))
guest.send(handshake('/waits'))
await isAsked
const keeper = await RawClient.connect(port)
keeper.send('GET /grant HTTP/1.1\r\nHost: localhost\r\n\r\n')
const statuses = [(await keeper.response()).status, (await guest.response()).status]
for (const client of [guest, keeper]) client.destroy()
await host.free()
console.log(statuses.join(' '))
