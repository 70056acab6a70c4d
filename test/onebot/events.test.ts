import { afterEach, describe, expect, it, vi } from 'vitest'
import type { OneBotEvent, OneBotMessage } from '../../include-types/onebot.ts'
import { toHeartbeat, toLifecycle, toText } from '../../lib/onebot/events.ts'

const message: OneBotMessage = {
  id: 902,
  seq: 77,
  time: 1_770_000_002,
  group: { id: 40_001, name: 'Tea room' },
  peer: null,
  subType: 'normal',
  sender: { id: 30_001, nickname: 'Mira', card: 'host', role: 'admin', title: '' },
  segments: [
    { type: 'at', data: { qq: '20001' } },
    { type: 'text', data: { text: ' two cups' } },
  ],
  native: { id: 'own' },
}

const array = { format: 'array', debug: false } as const
const string = { format: 'string', debug: false } as const

afterEach(() => vi.restoreAllMocks())

describe('an event', () => {
  it('has the fields of the standard, and those of NapCat', () => {
    const event: OneBotEvent = { kind: 'message', message }
    const common = {
      time: 1_770_000_002,
      self_id: 20_001,
      post_type: 'message',
      message_type: 'group',
      sub_type: 'normal',
      message_id: 902,
      message_seq: 902,
      real_id: 902,
      real_seq: '77',
      user_id: 30_001,
      group_id: 40_001,
      group_name: 'Tea room',
      anonymous: null,
      raw_message: '[CQ:at,qq=20001] two cups',
      font: 0,
      sender: {
        user_id: 30_001,
        nickname: 'Mira',
        card: 'host',
        sex: 'unknown',
        age: 0,
        role: 'admin',
        area: '',
        level: '1',
        title: '',
      },
    }
    expect(JSON.parse(toText(event, 20_001, string))).toEqual({
      ...common,
      message: '[CQ:at,qq=20001] two cups',
      message_format: 'string',
    })
    expect(JSON.parse(toText(event, 20_001, array))).toEqual({
      ...common,
      message: message.segments,
      message_format: 'array',
    })
  })

  it('onebot trap 20: of the bot itself is message_sent, with where it went', () => {
    const own = toText(
      { kind: 'message', message: { ...message, sender: { ...message.sender, id: 20_001 } } },
      20_001,
      array,
    )
    expect(JSON.parse(own)).toMatchObject({
      post_type: 'message_sent',
      message_sent_type: 'self',
      target_id: 40_001,
      user_id: 20_001,
    })
  })

  it('a private one has no group, and says who is on the other side', () => {
    const { group: _, ...rest } = message
    const event: OneBotEvent = {
      kind: 'message',
      message: { ...rest, group: null, peer: 30_001, subType: 'friend', sender: { id: 30_001, nickname: 'Mira' } },
    }
    const text: unknown = JSON.parse(toText(event, 20_001, array))
    expect(text).toMatchObject({ message_type: 'private', sub_type: 'friend', target_id: 30_001, user_id: 30_001 })
    expect(text).not.toHaveProperty('group_id')
    expect(text).not.toHaveProperty('anonymous')
    expect(text).not.toHaveProperty('sender.role')
  })

  it('is made into text once for a hundred bots, and once more for each other form', () => {
    const event: OneBotEvent = { kind: 'message', message }
    const stringify = vi.spyOn(JSON, 'stringify')
    const texts = Array.from({ length: 100 }, (_, n) => toText(event, 20_001 + n, array))
    expect(stringify).toHaveBeenCalledTimes(1)
    toText(event, 20_001, string)
    toText(event, 20_001, { format: 'array', debug: true })
    expect(stringify).toHaveBeenCalledTimes(3)
    stringify.mockRestore()
    for (const [n, text] of texts.entries()) {
      const value: unknown = JSON.parse(text)
      expect(value).toMatchObject({ self_id: 20_001 + n, message_id: 902 })
      // What signs it is the text that a client makes of it again.
      expect(JSON.stringify(value)).toBe(text)
    }
  })

  it('a notice and a request are the same for all forms', () => {
    const stringify = vi.spyOn(JSON, 'stringify')
    const notice: OneBotEvent = {
      kind: 'notice',
      time: 1_770_000_100,
      notice: { notice_type: 'group_admin', sub_type: 'set', group_id: 40_001, user_id: 30_002 },
    }
    const texts = [array, string, { format: 'array', debug: true } as const].map((shape) =>
      toText(notice, 20_001, shape),
    )
    expect(stringify).toHaveBeenCalledTimes(1)
    expect(new Set(texts)).toEqual(
      new Set([
        '{"time":1770000100,"self_id":20001,"post_type":"notice","notice_type":"group_admin","sub_type":"set","group_id":40001,"user_id":30002}',
      ]),
    )
  })

  it('has the message as the platform has it where that is asked for', () => {
    const event: OneBotEvent = { kind: 'message', message }
    expect(JSON.parse(toText(event, 20_001, { format: 'array', debug: true }))).toMatchObject({ raw: { id: 'own' } })
    expect(JSON.parse(toText(event, 20_001, array))).not.toHaveProperty('raw')
  })

  it('of a connection has the fields of the seed', () => {
    expect(JSON.parse(toLifecycle(20_001, 1_770_000_300, 'connect'))).toEqual({
      time: 1_770_000_300,
      self_id: 20_001,
      post_type: 'meta_event',
      meta_event_type: 'lifecycle',
      sub_type: 'connect',
    })
    expect(JSON.parse(toHeartbeat(20_001, 1_770_000_330, true, 30_000))).toEqual({
      time: 1_770_000_330,
      self_id: 20_001,
      post_type: 'meta_event',
      meta_event_type: 'heartbeat',
      status: { online: true, good: true },
      interval: 30_000,
    })
  })
})
