import { describe, expect, it } from 'vitest'
import { field, Gateway } from '../support/gateway.ts'
import { engines } from '../support/server.ts'

describe.each(engines)('messages, on %s', (engine) => {
  it('gateway trap T23: the author receives MESSAGE_CREATE of the own message, once per connection', async () => {
    const gateway = await Gateway.start(engine)
    const [ada, brin, cleo] = [await gateway.person('ada'), await gateway.person('brin'), await gateway.person('cleo')]
    const { channel } = await gateway.server(ada, brin)
    const clients = [
      await gateway.connect(ada),
      await gateway.connect(ada),
      await gateway.connect(brin),
      await gateway.connect(cleo),
    ]
    await gateway.got(...clients)
    const id = await gateway.post(ada, channel, 'fog at six, @brin')
    expect(await gateway.got(...clients)).toEqual([['MESSAGE_CREATE'], ['MESSAGE_CREATE'], ['MESSAGE_CREATE'], []])
    const made = String(field(clients[0]?.frames.at(-2), 'd', 'created_at'))
    expect(made).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(clients[0]?.frames.at(-2)).toEqual({
      op: 'DISPATCH',
      t: 'MESSAGE_CREATE',
      d: {
        id,
        channel_id: channel,
        author_id: ada.id,
        content: 'fog at six, @brin',
        reply_to: null,
        edited_at: null,
        deleted: false,
        created_at: made,
        mention_user_ids: [brin.id],
        mention_everyone: false,
        thread_id: null,
        thread_reply_count: 0,
        pinned: false,
        pinned_by: null,
        pinned_at: null,
        poll: null,
      },
    })
    expect(field(clients[2]?.frames.at(-2), 'd', 'id')).toBe(id)
  })
})
