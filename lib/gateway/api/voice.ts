import { Compile } from 'typebox/schema'
import { QUALITIES } from '../../chat/lives.ts'
import type { OwnFlags, Sanctions } from '../../chat/voice.ts'
import type { World } from '../../chat/world.ts'
import { bool, given } from './body.ts'
import { idOf, userOf } from './call.ts'
import { created, NO_CONTENT, ok, type Route, route, routeWithBody } from './router.ts'

const Own = Compile({
  type: 'object',
  additionalProperties: false,
  properties: { self_mute: bool, self_deaf: bool, self_video: bool, self_screen: bool },
})
const Other = Compile({
  type: 'object',
  additionalProperties: false,
  properties: { server_mute: bool, server_deaf: bool },
})
const Show = Compile({ type: 'object', properties: { quality: { enum: QUALITIES } } })

export const voiceRoutes = ({ voice, changes }: World): Route[] => [
  route('GET /channels/:id/voice', 'user', (call) => ok(voice.list(userOf(call), idOf(call)))),
  route('POST /channels/:id/voice', 'user', (call) => created(voice.join(userOf(call), idOf(call)))),
  routeWithBody('PATCH /channels/:id/voice', 'user', Own, (call) => {
    const { self_mute, self_deaf, self_video, self_screen } = call.body
    const flags = given<OwnFlags>({ self_mute, self_deaf, self_video, self_screen })
    return ok(voice.change(userOf(call), idOf(call), flags))
  }),
  route('DELETE /channels/:id/voice', 'user', (call) => {
    voice.leave(userOf(call), idOf(call))
    return NO_CONTENT
  }),
  routeWithBody('PATCH /channels/:id/voice/:user_id', 'user', Other, async (call) => {
    const { server_mute, server_deaf } = call.body
    const sanctions = given<Sanctions>({ server_mute, server_deaf })
    return ok(await changes.run(() => voice.sanction(userOf(call), idOf(call), idOf(call, 'user_id'), sanctions)))
  }),
  route('DELETE /channels/:id/voice/:user_id', 'user', (call) => {
    voice.disconnect(userOf(call), idOf(call), idOf(call, 'user_id'))
    return NO_CONTENT
  }),

  route('GET /channels/:id/go-live', 'user', (call) => ok(voice.live(userOf(call), idOf(call)))),
  routeWithBody('POST /channels/:id/go-live', 'user', Show, (call) => {
    const { live, created: isNew } = voice.goLive(userOf(call), idOf(call), call.body.quality ?? '720p')
    return (isNew ? created : ok)(live)
  }),
  route('DELETE /channels/:id/go-live', 'user', (call) => {
    voice.endLive(userOf(call), idOf(call))
    return NO_CONTENT
  }),
]
