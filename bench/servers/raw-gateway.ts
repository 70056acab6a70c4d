import { App, type HttpResponse } from 'uWebSockets.js'
import { listen } from './listen.ts'
import { CONTENT } from './world.ts'

const ID = '01900000-0000-7000-8000-000000000000'

/** As long as what ours says of a message, whatever the message. */
const MESSAGE = JSON.stringify({
  id: ID,
  channel_id: ID,
  author_id: ID,
  content: CONTENT,
  reply_to: null,
  edited_at: null,
  deleted: false,
  created_at: '2026-01-01T00:00:00.000Z',
  mention_user_ids: [],
  mention_everyone: false,
  thread_id: null,
  thread_reply_count: 0,
  pinned: false,
  pinned_by: null,
  pinned_at: null,
  poll: null,
})
const FRAME = `{"op":"DISPATCH","t":"MESSAGE_CREATE","d":${MESSAGE}}`
const READY = '{"op":"DISPATCH","t":"READY","d":{}}'

/**
 * uWebSockets.js that does what everybody sees of a gateway: a body is read, a frame published, an answer given. Nothing is looked
 * at, checked or kept.
 */
export function startRawGateway(): Promise<number> {
  const app = App()
  app.ws('/ws', {
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxPayloadLength: 16_384,
    maxBackpressure: 16 << 20,
    open: (ws) => {
      ws.send(READY)
      ws.subscribe('all')
    },
  })
  const list = JSON.stringify([{ id: ID }])
  app.get('/servers', (res) => give(res, '200 OK', list))
  app.get('/servers/:id/channels', (res) => give(res, '200 OK', list))
  app.post('/channels/:id/messages', (res) => {
    const chunks: Buffer[] = []
    let aborted = false
    res.onAborted(() => (aborted = true))
    res.onData((chunk, last) => {
      // The chunk is valid during the call only.
      chunks.push(Buffer.from(Buffer.from(chunk)))
      if (!last || aborted) return
      Buffer.concat(chunks)
      app.publish('all', FRAME)
      res.cork(() => give(res, '201 Created', MESSAGE))
    })
  })
  return listen(app)
}

/** With the headers that ours have. */
function give(res: HttpResponse, status: string, body: string): void {
  res.writeStatus(status)
  res.writeHeader('X-Content-Type-Options', 'nosniff')
  res.writeHeader('Referrer-Policy', 'no-referrer')
  res.writeHeader('Content-Type', 'application/json')
  res.end(body)
}
