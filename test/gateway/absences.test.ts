import { describe, expect, it } from 'vitest'
import { Absences } from '../../lib/gateway/absences.ts'
import { ManualClock } from '../../lib/engine/memory.ts'
import { Pace } from '../../lib/websock/pace.ts'

/** Absences of whose links it is told when they are let go of. */
function setUp() {
  const ended: string[] = []
  const absences = new Absences(() => 0, new Pace(new ManualClock()))
  const add = (userId: string, session: string | null, bot: string | null): void => {
    const name = [userId, session, bot].join(' ')
    const link = { declare: () => {}, detach: () => void ended.push(name) }
    absences.add({ link, caller: { userId, session, bot, expires: 0 } }, 1000)
  }
  return { absences, add, ended }
}

describe('who is away', () => {
  it('is gone when they are told to be: those of one user who came with that session, or as that bot', () => {
    const { absences, add, ended } = setUp()
    add('ada', 'one', null)
    add('ada', 'two', null)
    add('brin', 'one', null)
    add('buoy', null, 'bot')
    absences.end('ada', ({ session }) => session === 'two')
    expect(ended).toEqual(['ada two '])
    absences.end('buoy', ({ bot }) => bot === 'other')
    absences.end('buoy', ({ bot }) => bot === 'bot')
    expect(ended).toEqual(['ada two ', 'buoy  bot'])
    absences.end('ada')
    absences.end('ada')
    absences.end('nobody')
    expect(ended).toEqual(['ada two ', 'buoy  bot', 'ada one '])
    absences.close()
  })
})
