import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { WebSocket } from 'ws'
import { BotClient } from '../../support/onebot.ts'
import { Scene } from '../../support/onebot-scene.ts'
import { makeFolder } from '../../support/world.ts'
import type { Row } from './row.ts'

/* Which events are told: another client, of an entry whose filter is in a file, sees what changes. */

export const FILTER_ROWS: Readonly<Record<string, Row>> = {
  reload_event_filter: {
    does: 'does',
    walk: async ({ name }) => {
      const filter = join(makeFolder(), 'filter.json')
      writeFileSync(filter, '{ raw_message: "tea" }')
      const scene = await Scene.start('node', {
        onebot: { servers: [{ ws: { address: '127.0.0.1:0', middlewares: { filter } } }] },
      })
      const port = scene.bots.gateway.host.listening.at(-1)?.port
      const client = new BotClient(new WebSocket(`ws://127.0.0.1:${port}/`))
      const said = (): unknown[] =>
        client.events.filter(({ post_type }) => post_type === 'message').map(({ raw_message }) => raw_message)
      const say = async (): Promise<void> => {
        for (const content of ['tea', 'milk']) await scene.say(scene.bo, content)
        await scene.bots.settle(client)
      }
      await client.find(({ sub_type }) => sub_type === 'connect')
      await say()
      expect(said()).toEqual(['tea'])
      writeFileSync(filter, '{ raw_message: "milk" }')
      // What is written is not read by itself.
      await say()
      expect(said()).toEqual(['tea', 'tea'])
      expect(await scene.robo.get(name, { file: '/etc/passwd' })).toBeNull()
      await say()
      expect(said()).toEqual(['tea', 'tea', 'milk'])
      // As go-cqhttp: one that is broken filters nothing.
      writeFileSync(filter, '{')
      await scene.robo.get(name)
      await say()
      expect(said()).toEqual(['tea', 'tea', 'milk', 'tea', 'milk'])
    },
  },
}
