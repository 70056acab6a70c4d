import { describe, expect, it } from 'vitest'
import type { Agent } from '../../include-types/agent.ts'
import { createAgentHandler } from '../../lib/agent/handler.ts'
import { agentOf } from '../support/agent.ts'
import { field, Gateway } from '../support/gateway.ts'
import { engines, type EngineName } from '../support/server.ts'

/** A gateway with an agent in a channel of its world. */
async function start(engine: EngineName, agent: Agent, join: Record<string, unknown> = {}) {
  const gateway = await Gateway.start(
    engine,
    {},
    undefined,
    {},
    {
      channels: {
        websocket: {
          enabled: true,
          port: 0,
          agent: { type: 'echo', join: 'Harbour/general', name: 'helper', editMs: 100, ...join },
        },
      },
      handlers: (homes) => ({
        agent: createAgentHandler(
          async () => homes,
          () => agent,
        ),
      }),
    },
  )
  const ada = await gateway.person('ada')
  const brin = await gateway.person('brin')
  const { id, channel } = await gateway.server(ada, brin)
  return { gateway, ada, brin, server: id, channel }
}

describe.each(engines)('an agent in the world, on %s', (engine) => {
  it('comes when its channel is made, answers who calls it, and streams by editing', async () => {
    let go = (): void => {}
    const agent = agentOf(async function* (_session, text) {
      yield `${text}: `
      await new Promise<void>((resolve) => (go = resolve))
      yield 'done'
    })
    const { gateway, ada, brin, channel } = await start(engine, agent)
    const client = await gateway.connect(brin)
    await gateway.post(ada, channel, '@helper what now?')
    const question = await client.next('MESSAGE_CREATE')
    const first = await client.next('MESSAGE_CREATE')
    expect(first).toMatchObject({ content: 'what now?: ', reply_to: field(question, 'id'), edited_at: null })
    go()
    expect(await client.next('MESSAGE_UPDATE')).toMatchObject({
      id: field(first, 'id'),
      content: 'what now?: done',
      edited_at: null,
    })
  })
})
