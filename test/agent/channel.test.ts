import { describe, expect, it } from 'vitest'
import { AgentServer } from '../support/agent.ts'
import { engines } from '../support/server.ts'

describe.each(engines)('the agent channel on %s', (engine) => {
  it('greets, and echoes word by word', async () => {
    const server = await AgentServer.start(engine)
    const client = await server.connect('client_id=alice')
    expect(client.texts[0]).toMatch(/^\{"event":"ready","chat_id":"[0-9a-f-]{36}","client_id":"alice"\}$/)
    client.send({ content: 'Hello nanobot!' })
    const { frames } = await client.answer()
    const id = frames[0]?.stream_id
    expect(frames).toEqual([
      { event: 'delta', text: 'Hello ', stream_id: id },
      { event: 'delta', text: 'nanobot!', stream_id: id },
      { event: 'stream_end', stream_id: id },
    ])
  })
})
