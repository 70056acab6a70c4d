import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Home } from '../../lib/chat/home.ts'
import { rSetLogSink } from '../../lib/index.ts'
import { createOneBotHandler } from '../../lib/onebot/handler.ts'
import { dial } from '../../lib/onebots.ts'
import { parts } from '../../lib/parts.ts'
import { createHost } from '../../lib/web/host.ts'
import { PerHost } from '../../lib/web/per-host.ts'
import { person } from './bots.ts'
import { MEMBERS } from './group.ts'
import { start } from './ours.ts'

/** OneBot of fiberws, as NapCat's config has it: a bot in a group of the world. */
export async function startOursBots(engine: 'uws' | 'node'): Promise<number> {
  rSetLogSink(() => {})
  const home = new Home(mkdtempSync(join(tmpdir(), 'fiberws-bench-')), true, (what, error) =>
    console.error(what, error),
  )
  const { world } = home
  await world.changes.run(() => {
    const people = Array.from({ length: MEMBERS }, (_, n) => person(world, `person-${n}`))
    const [owner = ''] = people
    const server = { name: 'Harbour', icon_url: null, is_public: 1, require_invite: 0 } as const
    const { id } = world.servers.create(owner, server)
    for (const user of people.slice(1)) world.servers.join(user, id)
    world.channels.create(owner, id, { name: 'general', type: 'text', topic: null, category: null })
  })
  const homes = new PerHost(
    () => home,
    () => home.close(),
  )
  return start(
    createHost(
      {
        web: { engine, limits: { connections: 'unlimited' } },
        onebot: { bot: 'robo', join: ['Harbour'] },
        network: { websocketServers: [{ enable: true, port: 0 }] },
      },
      { ...parts, handlers: { ...parts.handlers, onebot: createOneBotHandler(homes, dial) } },
    ),
  )
}
