import { describe, expect, it } from 'vitest'
import { SEND_MESSAGES, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

function setUp() {
  const town = new Town()
  const { ada, bob, cleo, place, pier } = town
  const { pokes } = town.world
  const inChannel = (user: string, other: string, channel = pier): string =>
    codeOf(() => pokes.inChannel(user, channel, other))
  const direct = (user: string, other: string): string => codeOf(() => pokes.direct(user, other))
  const hide = (user: string, deny: number) =>
    town.do(({ overrides }) => overrides.set(ada, pier, { roleId: null, userId: user }, 0, deny))
  return { town, ada, bob, cleo, place, pier, inChannel, direct, hide }
}
const DONE = 'nothing was refused'

describe('a poke', () => {
  it('in a channel is told of where it was', () => {
    const { town, ada, bob, place, pier, inChannel } = setUp()
    expect(inChannel(bob, ada)).toBe(DONE)
    // Oneself, too.
    expect(inChannel(bob, bob)).toBe(DONE)
    const poke = { type: 'poke', from: bob, channelId: pier, serverId: place }
    expect(town.told()).toEqual([
      { ...poke, to: ada },
      { ...poke, to: bob },
    ])
  })

  it('is for who may speak there, and for who sees the channel', () => {
    const { town, ada, bob, cleo, place, pier, inChannel, hide } = setUp()
    expect(inChannel(cleo, ada)).toBe('NOT_FOUND')
    expect(inChannel(ada, cleo)).toBe('NOT_FOUND')
    expect(inChannel(ada, bob, 'nowhere')).toBe('NOT_FOUND')
    hide(bob, SEND_MESSAGES)
    expect(inChannel(bob, ada)).toBe('FORBIDDEN')
    expect(inChannel(ada, bob)).toBe(DONE)
    hide(bob, VIEW_CHANNEL)
    expect([inChannel(bob, ada), inChannel(ada, bob)]).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    hide(bob, 0)
    town.silence(place, bob, START + 1000)
    expect(inChannel(bob, ada)).toBe('TIMED_OUT')
    town.clock.ms = START + 1000
    town.do(({ overrides }) => overrides.shut(ada, pier, true))
    town.told()
    expect(inChannel(bob, ada)).toBe('FORBIDDEN')
    expect(town.told()).toEqual([])
  })

  it('of one bot alone is for who has written to it, or was written to', () => {
    const { town, ada, bob, cleo, direct } = setUp()
    const make = (handle: string): string => town.do(({ bots }) => bots.ensure(handle).user_id)
    const [robo, mate] = [make('robo'), make('mate')]
    const poke = { type: 'poke', channelId: null, serverId: null }
    expect([direct(bob, robo), direct(bob, 'nobody'), direct(bob, bob)]).toEqual(Array(3).fill('NOT_FOUND'))
    town.do(({ directs }) => directs.open(bob, robo))
    town.do(({ directs }) => directs.open(mate, robo))
    town.told()
    expect([direct(bob, robo), direct(robo, mate), direct(ada, robo)]).toEqual([DONE, DONE, 'NOT_FOUND'])
    expect(town.told()).toEqual([
      { ...poke, from: bob, to: robo },
      { ...poke, from: robo, to: mate },
    ])
    town.do(({ users }) => users.disable(mate))
    town.told()
    expect([direct(robo, mate), town.told()]).toEqual(['NOT_FOUND', []])
    // People have nothing that would tell them.
    town.do(({ directs }) => directs.open(robo, cleo))
    town.told()
    expect([direct(robo, bob), direct(robo, cleo), direct(robo, ada)]).toEqual(['FORBIDDEN', 'FORBIDDEN', 'NOT_FOUND'])
    expect(town.told()).toEqual([])
  })
})
