import { describe, expect, it } from 'vitest'
import { dispatch } from '../../lib/onebot/dispatcher.ts'
import { Failure, PlatformError } from '../../lib/onebot/failure.ts'
import { quickOperation } from '../../lib/onebot/quick.ts'
import { LogLines } from '../support/log-lines.ts'
import { callOn, noParts, FakePlatform } from '../support/onebot-platform.ts'

const GROUP = { post_type: 'message', message_type: 'group', group_id: 40_001, user_id: 30_001, message_id: 7 }
const PRIVATE = { post_type: 'message', message_type: 'private', user_id: 30_001, message_id: 7 }
const FRIEND = { post_type: 'request', request_type: 'friend', user_id: 30_001, flag: 'fr-1' }
const JOIN = { post_type: 'request', request_type: 'group', sub_type: 'add', group_id: 40_001, flag: 'gr-1' }

const text = (said: string) => ({ type: 'text', data: { text: said } })
const REPLY = { type: 'reply', data: { id: '7' } }
const AT = { type: 'at', data: { qq: '30001' } }

/** What is done about an event. */
function done(context: unknown, operation: unknown, platform = new FakePlatform()): FakePlatform['done'] {
  quickOperation(callOn(platform), context, operation)
  return platform.done
}
const said = (context: unknown, operation: unknown): unknown[] =>
  done(context, operation).map(([name, , what]) => (name === 'send' ? what : name))

function why(context: unknown, operation: unknown): string {
  try {
    done(context, operation)
  } catch (error) {
    if (error instanceof Failure) return `${error.retcode} ${error.message}`
    throw error
  }
  return ''
}

describe('a quick operation', () => {
  it('onebot trap 36: answers to a group with a reply, and calls nobody unless it is asked to', () => {
    expect(done(GROUP, { reply: 'hi' })).toEqual([['send', { group: 40_001 }, [REPLY, text('hi')]]])
    expect(said(GROUP, { reply: 'hi', at_sender: true })).toEqual([[REPLY, AT, text('hi')]])
    expect(said(GROUP, { reply: 'hi', at_sender: false })).toEqual([[REPLY, text('hi')]])
  })

  it('answers to a person with what it says', () => {
    expect(done(PRIVATE, { reply: 'hi', at_sender: true })).toEqual([['send', { user: 30_001 }, [text('hi')]]])
  })

  it('answers with CQ text, segments, or one', () => {
    const face = { type: 'face', data: { id: '1' } }
    expect(said(PRIVATE, { reply: 'a[CQ:face,id=1]' })).toEqual([[text('a'), face]])
    expect(said(PRIVATE, { reply: [text('a'), face] })).toEqual([[text('a'), face]])
    expect(said(PRIVATE, { reply: face })).toEqual([[face]])
    expect(said(PRIVATE, { reply: 5 })).toEqual([[text('5')]])
  })

  it('takes text as it stands where that is meant', () => {
    expect(said(PRIVATE, { reply: '[CQ:face,id=1]', auto_escape: true })).toEqual([[text('[CQ:face,id=1]')]])
    expect(said(PRIVATE, { reply: '[CQ:face,id=1]', auto_escape: 'true' })).toEqual([[text('[CQ:face,id=1]')]])
    expect(said(PRIVATE, { reply: [text('a')], auto_escape: true })).toEqual([[text('a')]])
  })

  it('has one reply, to what it is about', () => {
    const other = { type: 'reply', data: { id: '99' } }
    expect(said(GROUP, { reply: [text('a'), other] })).toEqual([[REPLY, text('a')]])
  })

  it('calls nobody who has no name', () => {
    const anonymous = { id: 1, name: 'somebody', flag: 'x' }
    expect(said({ ...GROUP, anonymous }, { reply: 'hi', at_sender: true })).toEqual([[REPLY, text('hi')]])
    expect(said({ ...GROUP, anonymous: null }, { reply: 'hi', at_sender: true })).toEqual([[REPLY, AT, text('hi')]])
  })

  it('takes a message back, sends away, and silences', () => {
    expect(done(GROUP, { delete: true })).toEqual([['recall', 7]])
    expect(done(GROUP, { kick: true })).toEqual([['kick', 40_001, 30_001, false]])
    expect(done(GROUP, { kick: true, reject_add_request: true })).toEqual([['kick', 40_001, 30_001, true]])
    expect(done(GROUP, { ban: true })).toEqual([['mute', 40_001, 30_001, 1800]])
    expect(done(GROUP, { ban: true, ban_duration: 60 })).toEqual([['mute', 40_001, 30_001, 60]])
    expect(done(GROUP, { delete: false, kick: false, ban: false, ban_duration: 60 })).toEqual([])
    expect(said(GROUP, { reply: 'out', delete: true, ban: true, kick: true })).toEqual([
      [REPLY, text('out')],
      'recall',
      'kick',
      'mute',
    ])
  })

  it('does so in groups alone', () => {
    expect(done(PRIVATE, { delete: true, kick: true, ban: true })).toEqual([])
  })

  it('decides requests', () => {
    expect(done(FRIEND, { approve: true, remark: 'Mira' })).toEqual([['answerFriend', 'fr-1', true, 'Mira']])
    expect(done(FRIEND, { approve: false })).toEqual([['answerFriend', 'fr-1', false, '']])
    expect(done(JOIN, { approve: true })).toEqual([['answerGroup', 'gr-1', true, '']])
    expect(done({ ...JOIN, sub_type: 'invite' }, { approve: false, reason: 'full' })).toEqual([
      ['answerGroup', 'gr-1', false, 'full'],
    ])
    expect(done(FRIEND, { remark: 'Mira' })).toEqual([])
    expect(done(FRIEND, { reply: 'hi' })).toEqual([])
  })

  it.each([
    ['nothing', {}],
    ['what nobody knows', { dance: true }],
    ['an empty reply', { reply: '' }],
    ['no reply', { reply: null }],
  ])('does nothing with %s', (_what, operation) => {
    for (const context of [GROUP, PRIVATE, FRIEND, JOIN]) expect(done(context, operation)).toEqual([])
  })

  it.each(['message_sent', 'notice', 'meta_event', 'x'])('does nothing about %s', (post_type) => {
    expect(done({ ...GROUP, post_type }, { reply: 'hi', delete: true, kick: true, approve: true })).toEqual([])
  })

  it('needs to know what it is about, and no more than that', () => {
    expect(why({ ...GROUP, post_type: undefined }, {})).toBe('1400 post_type: is needed')
    expect(why('x', {})).toMatch(/^1400 /)
    expect(why([], {})).toMatch(/^1400 /)
    expect(why(GROUP, [])).toMatch(/^1400 /)
    expect(why({ post_type: 'request', request_type: 'friend' }, { approve: true })).toBe('1400 flag: is needed')
    expect(said({ post_type: 'message', message_type: 'group', group_id: '40001' }, { reply: 'hi' })).toEqual([
      [text('hi')],
    ])
    expect(done({ post_type: 'message', message_type: 'group', group_id: 1 }, { kick: true, delete: true })).toEqual([])
  })

  it('reads the whole event, as it was told', () => {
    const event = {
      ...GROUP,
      time: 1_770_000_000,
      self_id: 20_001,
      sub_type: 'normal',
      sender: { user_id: 30_001, nickname: 'mira' },
      message: [text('tea?')],
      raw_message: 'tea?',
      font: 0,
    }
    expect(said(event, { reply: 'yes' })).toEqual([[REPLY, text('yes')]])
  })

  it('is not waited for: what fails is logged, and the rest is done', async () => {
    const log = new LogLines()
    const platform = new FakePlatform()
    platform.recall = () => Promise.reject(new PlatformError('RECALL_API_ERROR'))
    platform.send = () => {
      throw new Error('the disk is full')
    }
    quickOperation(callOn(platform), GROUP, { reply: 'hi', delete: true, ban: true })
    await log.until(/A quick operation failed: Error: the disk is full/)
    await log.until(/a quick operation failed: RECALL_API_ERROR/)
    expect(platform.done).toEqual([['mute', 40_001, 30_001, 1800]])
  })

  it('with a reply that cannot be said is logged', async () => {
    const log = new LogLines()
    done(GROUP, { reply: [{ type: 5 }] })
    await log.until(/a quick operation failed: message: a segment has a type/)
  })

  it('is an action, too, which has nothing to say', async () => {
    const platform = new FakePlatform()
    const run = async (params: unknown) => dispatch('.handle_quick_operation', params, callOn(platform), noParts)
    expect(await run({ context: GROUP, operation: { reply: 'hi' } })).toEqual({ retcode: 0, data: null, message: '' })
    expect(platform.done).toHaveLength(1)
    expect(await run({ context: GROUP })).toMatchObject({ retcode: 1400, message: 'operation: is needed' })
    expect(await run({ operation: {} })).toMatchObject({ retcode: 1400, message: 'context: is needed' })
    expect(await run({ context: {}, operation: {} })).toMatchObject({ retcode: 1400 })
  })
})
