import { expect, it } from 'vitest'
import { Audience } from '../../lib/gateway/audience.ts'
import { VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { Journal } from '../../lib/gateway/journal.ts'
import { Gateway, idOf } from '../support/gateway.ts'

it('forgets the channels of a server that has gone, and no others', async () => {
  const gateway = await Gateway.start('node')
  const { world } = gateway
  const ada = await gateway.person('ada')
  const make = async (): Promise<[string, string]> => {
    const { body } = await gateway.request('POST', '/servers', ada, { name: 'Harbour' })
    const channel = { name: 'pier', type: 'text' }
    const made = await gateway.request('POST', `/servers/${idOf(body)}/channels`, ada, channel)
    const [server, id] = [idOf(body), idOf(made.body)]
    await world.changes.run(() => world.overrides.set(ada.id, id, { roleId: null, userId: null }, 0, VIEW_CHANNEL))
    return [server, id]
  }
  const [gone, stays] = [await make(), await make()]
  // As a start finds them, and as they become.
  const audience = new Audience(world, new Journal(gateway.host.settings.gateway, world.now))
  const late = await make()
  audience.channelChanged(...late, false)
  for (const [server, channel] of [gone, stays, late]) expect(audience.topicOf(server, channel)).toBe(`g/c/${channel}`)
  for (const [server] of [gone, late]) audience.closed(server)
  for (const [server, channel] of [gone, late]) expect(audience.topicOf(server, channel)).toBe(`g/s/${server}`)
  expect(audience.topicOf(...stays)).toBe(`g/c/${stays[1]}`)
  audience.channelChanged(...stays, true)
  expect(audience.topicOf(...stays)).toBe(`g/s/${stays[0]}`)
})
