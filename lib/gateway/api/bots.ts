import { Compile } from 'typebox/schema'
import type { World } from '../../chat/world.ts'
import type { Accounts } from '../accounts.ts'
import { toBot } from '../wire.ts'
import { given, textOrNull } from './body.ts'
import { callerOf, idOf, userOf } from './call.ts'
import { created, NO_CONTENT, ok, type Route, route, routeWithBody } from './router.ts'

const name = { type: 'string', minLength: 1, maxLength: 64, pattern: '[A-Za-z0-9]' } as const
const New = Compile({
  type: 'object',
  required: ['name'],
  properties: { name, description: textOrNull(512) },
})
const Changes = Compile({ type: 'object', properties: { name, description: textOrNull(512) } })

export const botRoutes = (world: World, accounts: Accounts): Route[] => [
  routeWithBody('POST /bots', 'human', New, async (call) =>
    created(await accounts.createBot(callerOf(call), call.body.name, call.body.description ?? null)),
  ),
  route('GET /bots', 'human', (call) => ok({ bots: world.bots.madeBy(userOf(call)).map(toBot) })),
  route('POST /bots/connect', 'bot', (call) => ok(accounts.connectBot(callerOf(call)))),
  route('GET /bots/:id', 'human', (call) => ok(toBot(world.bots.get(userOf(call), idOf(call))))),
  routeWithBody('PATCH /bots/:id', 'human', Changes, async (call) => {
    const { name: called, description } = call.body
    const next = given({ name: called, description })
    return ok(toBot(await world.changes.run(() => world.bots.change(userOf(call), idOf(call), next))))
  }),
  route('DELETE /bots/:id', 'human', async (call) => {
    await world.changes.run(() => world.bots.revoke(userOf(call), idOf(call)))
    return NO_CONTENT
  }),
  route('POST /bots/:id/token/regenerate', 'human', async (call) =>
    ok(await accounts.regenerateToken(callerOf(call), idOf(call))),
  ),
]
