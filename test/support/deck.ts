import type { GatewayConfig } from '../../include-types/web.ts'
import { type Client, type Gateway, type Person, type Reply } from './gateway.ts'
import { startHarbour, type Twice } from './harbour.ts'
import type { EngineName } from './server.ts'

export const [VIEW, CONNECT, MUTE, MANAGE_CHANNELS] = [1, 32, 128, 1024]
/** An id of nobody and nothing. */
export const NOBODY = '01900000-0000-7000-8000-000000000000'
export const [VOICE, PRESENCE, START, STOP] = [
  ['VOICE_STATE_UPDATE'],
  ['PRESENCE_UPDATE'],
  ['GO_LIVE_START'],
  ['GO_LIVE_STOP'],
]

/** What each of five connections has got. */
export const NOTHING: readonly string[][] = [[], [], [], [], []]

export async function voiceChannel({ world }: Gateway, owner: Person, server: string, name: string): Promise<string> {
  const draft = { name, type: 'voice', topic: null, category: null } as const
  return (await world.changes.run(() => world.channels.create(owner.id, server, draft))).id
}

/** The harbour with two voice channels, deck and cabin; there is one, the islet, in dov's server, too. */
export async function startDeck(engine: EngineName, twice: Twice = 'brin', settings: GatewayConfig = {}) {
  const all = await startHarbour(engine, twice, { wsRate: 0, ...settings })
  const { gateway, ada, dov, id, elsewhere } = all
  const deck = await voiceChannel(gateway, ada, id, 'deck')
  const cabin = await voiceChannel(gateway, ada, id, 'cabin')
  const islet = await voiceChannel(gateway, dov, elsewhere.id, 'islet')
  const join = (who: Person, channel = deck): Promise<Reply> =>
    gateway.request('POST', `/channels/${channel}/voice`, who)
  const leave = (who: Person, channel = deck): Promise<Reply> =>
    gateway.request('DELETE', `/channels/${channel}/voice`, who)
  const show = (who: Person, body?: unknown, channel = deck): Promise<Reply> =>
    gateway.request('POST', `/channels/${channel}/go-live`, who, body)
  /** A role that holds these permissions, for one member. */
  const promote = async (who: Person, permissions: number, position = 5): Promise<void> => {
    const draft = { name: 'Mate', permissions, color: null, position }
    const { world } = gateway
    const role = await world.changes.run(() => world.roles.create(ada.id, id, draft))
    await world.changes.run(() => world.roles.give(ada.id, id, who.id, role.id))
    await all.heard()
  }
  return { ...all, deck, cabin, islet, join, leave, show, promote }
}

/** Names of what a client is told from now on, up to an event. */
export async function upTo(client: Client, name: string): Promise<string[]> {
  const from = client.frames.length
  await client.next(name)
  return client.frames.slice(from).map(({ t, op }) => t ?? op)
}
