import { Compile } from 'typebox/schema'
import type { World } from '../../chat/world.ts'
import { toRequest } from '../wire.ts'
import { ID, textOrNull, word } from './body.ts'
import { idOf, toId, userOf } from './call.ts'
import { once } from './once.ts'
import { created, ok, type Route, route, routeWithBody } from './router.ts'

const comment = textOrNull(512)
const Ask = Compile({ type: 'object', required: ['user_id'], properties: { user_id: word(ID), comment } })
const Comment = Compile({ type: 'object', properties: { comment } })
const Reason = Compile({ type: 'object', properties: { reason: textOrNull(512) } })

/** What others decide: to be friends, to come into a server, to have somebody come. */
export const requestRoutes = (world: World, { friends, arrivals, changes } = world): Route[] => [
  route('GET /friend-requests', 'user', (call) => ok(friends.requests(userOf(call)).map(toRequest))),
  routeWithBody('POST /friend-requests', 'user', Ask, (call) => {
    const [other, why] = [toId(call.body.user_id), call.body.comment ?? '']
    return once(world, call, () => created(toRequest(friends.ask(userOf(call), other, why))))
  }),
  route('POST /friend-requests/:id/accept', 'user', async (call) =>
    ok(toRequest(await changes.run(() => friends.accept(userOf(call), idOf(call))))),
  ),
  routeWithBody('POST /friend-requests/:id/reject', 'user', Reason, async (call) =>
    ok(toRequest(await changes.run(() => friends.reject(userOf(call), idOf(call), call.body.reason ?? null)))),
  ),

  route('GET /servers/:id/join-requests', 'user', (call) =>
    ok(arrivals.joinRequests(userOf(call), idOf(call)).map(toRequest)),
  ),
  routeWithBody('POST /servers/:id/join-requests', 'user', Comment, (call) =>
    once(world, call, () => created(toRequest(arrivals.askToJoin(userOf(call), idOf(call), call.body.comment ?? '')))),
  ),
  route('POST /servers/:id/join-requests/:request_id/accept', 'user', async (call) => {
    const [server, id] = [idOf(call), idOf(call, 'request_id')]
    return ok(toRequest(await changes.run(() => arrivals.acceptJoin(userOf(call), server, id))))
  }),
  routeWithBody('POST /servers/:id/join-requests/:request_id/reject', 'user', Reason, async (call) => {
    const [server, id, reason] = [idOf(call), idOf(call, 'request_id'), call.body.reason ?? null]
    return ok(toRequest(await changes.run(() => arrivals.rejectJoin(userOf(call), server, id, reason))))
  }),

  route('GET /users/@me/invitations', 'user', (call) => ok(arrivals.invitations(userOf(call)).map(toRequest))),
  routeWithBody('POST /servers/:id/invitations', 'user', Ask, (call) => {
    const [server, other, why] = [idOf(call), toId(call.body.user_id), call.body.comment ?? '']
    return once(world, call, () => created(toRequest(arrivals.invite(userOf(call), server, other, why))))
  }),
  route('POST /servers/:id/invitations/:request_id/accept', 'user', async (call) => {
    const [server, id] = [idOf(call), idOf(call, 'request_id')]
    return ok(toRequest(await changes.run(() => arrivals.acceptInvitation(userOf(call), server, id))))
  }),
  routeWithBody('POST /servers/:id/invitations/:request_id/reject', 'user', Reason, async (call) => {
    const [server, id, reason] = [idOf(call), idOf(call, 'request_id'), call.body.reason ?? null]
    return ok(toRequest(await changes.run(() => arrivals.rejectInvitation(userOf(call), server, id, reason))))
  }),
]
