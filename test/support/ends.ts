import type { Web, WebAction } from '../../include-types/web.ts'
import { webSocketFree, webSocketSendClose } from '../../lib/websock/close.ts'
import { WS_EVENT_MESSAGE } from '../../lib/websock/constants.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { webWriteResponseString } from '../../lib/web/reply.ts'
import { close, frame, text } from './frames.ts'
import type { RawClient } from './raw.ts'

/** Ends its connection as the peer asks. */
export const obey: WebAction = (web: Web) =>
  web.webSocket === null
    ? webWriteResponseString(web, 200, 'in')
    : webSocketRun(web.webSocket, (ws, event, buf) => {
        if (event !== WS_EVENT_MESSAGE) return
        if (buf === 'close') webSocketSendClose(ws, 1000)
        else if (buf === 'free') webSocketFree(ws)
        else throw new Error('as asked')
      })

/** How a WebSocket may end. */
export const ends: Readonly<Record<string, (client: RawClient) => void>> = {
  'FIN': (client) => client.socket.end(),
  'RST': (client) => client.reset(),
  'both sides at once': (client) => client.destroy(),
  'a Close of the peer': (client) => client.send(close(1000)),
  'our Close': (client) => client.send(Buffer.concat([text('close'), close(1000)])),
  'our end': (client) => client.send(text('free')),
  'a callback that throws': (client) => client.send(text('throw')),
  'a violation': (client) => client.send(frame({ opcode: 3 })),
  'a violation, and RST': (client) => {
    client.send(frame({ opcode: 3 }))
    client.reset()
  },
}
