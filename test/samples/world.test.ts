import { expect, it } from 'vitest'
import { commandOf, Program } from './support.ts'

it('a person asks a bot, that asks an agent, and all of it is there after a restart', { timeout: 60_000 }, async () => {
  const relay = new Program(`${commandOf('world')} free`)
  expect(await relay.ended, relay.said).toBe('exit code 0')
  const lines = relay.said
    .split('\n')
    .filter((line) => line !== '' && !/^(?:agent|onebot|web) (?:info|error) /.test(line))
  expect(lines).toEqual([
    'the bot hears: reply, at, text, image',
    'the image is the one that was sent: true',
    'the server has started anew',
    'message_id is the same: true',
    'real_seq is the same: true',
    'group_id is the same: true',
    'user_id is the same: true',
    'unread before and after: 2, 2',
    'the image is there: true',
    'the bot and brin are friends: true',
    'numbers go on: true',
    'sequences go on: true',
    'robo: @helper which tea is this, @ada ?',
    '    answers ada, calls ada, helper, 1 images',
    'helper: which tea is this, @ada ?',
    '    answers robo, calls ada, 0 images',
    'the image is the one that was sent: true',
  ])
})
