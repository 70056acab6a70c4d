import type { Link } from '../../lib/chat/presence.ts'
import type { Sanctions, VoiceState } from '../../lib/chat/voice.ts'
import { voiceOf } from './voice-state.ts'
import { Town } from './world.ts'

/** Ada's place with two voice channels, deck and cabin; bob and cleo are in it, and on cleo's islands, with an islet. */
export function setUpVoice() {
  const town = new Town()
  const { place, ada, bob, cleo } = town
  town.join(cleo, place)
  const islands = town.server(cleo)
  town.join(bob, islands)
  const channel = (owner: string, server: string, name: string): string => {
    const draft = { name, type: 'voice', topic: null, category: null } as const
    return town.do(({ channels }) => channels.create(owner, server, draft)).id
  }
  const [deck, cabin, islet] = [
    channel(ada, place, 'deck'),
    channel(ada, place, 'cabin'),
    channel(cleo, islands, 'islet'),
  ]
  town.told()
  const names = new Map([ada, bob, cleo].map((id) => [id, town.world.users.find(id)?.username]))

  /** Somebody is there from now on. */
  const attach = (user: string): Link => {
    const { presence } = town.world
    const link = presence.attach(user)
    presence.refresh(user)
    return link
  }
  const join = (user: string, at = deck): VoiceState => town.world.voice.join(user, at)
  const sanction = (by: string, user: string, sanctions: Partial<Sanctions>, at = deck): VoiceState =>
    town.do(({ voice }) => voice.sanction(by, at, user, sanctions))
  /** Of somebody of whom nothing else is said; null: they have gone. */
  const state = (id: string, at: string | null, rest: Partial<VoiceState> = {}) =>
    voiceOf({ id, username: names.get(id) ?? '' }, at, rest)
  return { town, place, islands, deck, cabin, islet, attach, join, sanction, state }
}

export type VoiceSetUp = ReturnType<typeof setUpVoice>
