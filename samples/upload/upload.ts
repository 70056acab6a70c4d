import { createHash } from 'node:crypto'
import {
  type Web,
  WS_EVENT_MESSAGE,
  WS_EVENT_PARTIAL_MESSAGE,
  webSocketGetMessageLength,
  webSocketRun,
  webSocketSendJson,
  webSocketSetView,
} from 'fiberws'

/** Answers each message with its SHA-256 and size, and never holds more of it than one part. */
export default function upload(web: Web): Promise<number> {
  const ws = web.webSocket
  let hash = createHash('sha256')
  let parts = 0

  // The hash is done with a part when the callback returns: there is no need for a copy.
  webSocketSetView(ws, true)
  return webSocketRun(ws, (_ws, event, buf) => {
    if (event !== WS_EVENT_PARTIAL_MESSAGE && event !== WS_EVENT_MESSAGE) return
    hash.update(buf ?? '')
    parts++
    if (event === WS_EVENT_PARTIAL_MESSAGE) return
    // The last part is in: the length is that of the whole message.
    webSocketSendJson(ws, { sha256: hash.digest('hex'), bytes: webSocketGetMessageLength(ws), parts })
    hash = createHash('sha256')
    parts = 0
  })
}
