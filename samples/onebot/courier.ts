import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { isGroupMessage } from './keeper.ts'

// A bot as go-cqhttp's HTTP bots are: events are posted to it, signed, with messages as CQ text; its answer says what to do.

/** Answers whoever calls it, in the answer to the event itself. */
export const carry = (secret: string): Server =>
  createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const signature = `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`
      if (request.headers['x-signature'] !== signature) return response.writeHead(403).end()
      const told: unknown = JSON.parse(body.toString())
      const called = isGroupMessage(told) && told.raw_message.includes(`[CQ:at,qq=${told.self_id}`)
      if (!called) return response.writeHead(204).end()
      return response
        .writeHead(200, { 'Content-Type': 'application/json' })
        .end(JSON.stringify({ reply: 'on my way [CQ:face,id=76]', at_sender: true }))
    })
  })
