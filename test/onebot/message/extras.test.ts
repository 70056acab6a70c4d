import { describe, expect, it } from 'vitest'
import type { OneBotMessage, OneBotPlatform, OneBotSegment } from '../../../include-types/onebot.ts'
import { PlatformError } from '../../../lib/onebot/failure.ts'
import { hasExtras, withExtras } from '../../../lib/onebot/message/extras.ts'
import type { OneBotExtras } from '../../../lib/web/config/onebot-settings.ts'
import { field, listOf } from '../../support/gateway.ts'
import { FakePlatform, NO_EXTRAS } from '../../support/onebot-platform.ts'
import { Scene, text } from '../../support/onebot-scene.ts'

const reply = (id: string, more = {}) => ({ type: 'reply', data: { id, ...more } })
const at = (qq: string) => ({ type: 'at', data: { qq } })

const REPLIES: OneBotExtras = { ...NO_EXTRAS, replies: true }
const NO_AT: OneBotExtras = { ...NO_EXTRAS, withoutReplyAt: true }

const of = (segments: readonly OneBotSegment[], id = 902): OneBotMessage => ({
  id,
  seq: 77,
  time: 1_770_000_002,
  group: { id: 40_001, name: 'Tea room' },
  peer: null,
  subType: 'normal',
  sender: { id: 30_001, nickname: 'Mira' },
  segments,
})

describe('what messages come with', () => {
  const original = of([text('tea, [now]'), at('7')], 5)
  const platform: OneBotPlatform = Object.assign(new FakePlatform(), {
    message: (id: number) => {
      if (id === 5) return original
      if (id === 6) return Promise.resolve(original)
      if (id === 7) return Promise.reject(new PlatformError('MESSAGE_NOT_FOUND'))
      if (id === 8) throw new TypeError('broken')
      throw new PlatformError('MESSAGE_NOT_FOUND')
    },
    forward: (id: string) =>
      Promise.resolve(id === 'gone' ? [] : [{ userId: 7, nickname: 'Kay', time: 1, segments: [text('one')] }]),
  })
  const made = async (segments: readonly OneBotSegment[], extras: OneBotExtras) =>
    (await withExtras(platform, of(segments), extras)).segments

  it('is what a reply answers, in go-cqhttp words: all of it text', async () => {
    const data = { seq: '77', qq: '30001', time: '1770000002', text: 'tea, &#91;now&#93;[CQ:at,qq=7]' }
    for (const id of ['5', '6']) {
      expect(await made([reply(id), text('yes')], REPLIES)).toEqual([reply(id, data), text('yes')])
    }
  })

  it('is what is in a bundle, which a platform may have to look for; one that is gone stays named', async () => {
    const bundles = ['here', 'gone'].map((id) => ({ type: 'forward', data: { id } }))
    const segments = await made([text('a'), ...bundles], { ...NO_EXTRAS, bundles: true })
    expect(segments).toMatchObject([
      text('a'),
      { data: { id: 'here', content: [{ user_id: 7 }] } },
      { data: { id: 'gone' } },
    ])
    expect(segments[2]).toEqual(bundles[1])
  })

  it('is nothing more where that is gone, or was never there', async () => {
    for (const id of ['7', '9', '', 'x']) {
      const given = [reply(id), at('30001'), text('yes')]
      expect(await made(given, { ...REPLIES, withoutReplyAt: true })).toEqual(given)
    }
    expect(() => withExtras(platform, of([reply('8')]), REPLIES)).toThrow('broken')
  })

  it('is not the name of whom it answers, where that is not wanted: right behind it', async () => {
    expect(await made([reply('5'), at('30001'), text(' yes')], NO_AT)).toEqual([reply('5'), text(' yes')])
    expect(await made([reply('6'), at('30001')], { ...NO_AT, replies: true })).toMatchObject([{ data: { seq: '77' } }])
    expect(await made([reply('5'), at('30001')], REPLIES)).toMatchObject([{ type: 'reply' }, at('30001')])
    for (const behind of [[at('7')], [at('all')], [text('a'), at('30001')], []]) {
      expect(await made([reply('5'), ...behind], NO_AT)).toEqual([reply('5'), ...behind])
    }
    expect(await made([at('30001'), text('a')], NO_AT)).toEqual([at('30001'), text('a')])
  })

  it('is asked for where there is something to ask for, and it is wanted', async () => {
    const bundle = { type: 'forward', data: { id: 'a' } }
    const asks = (segments: readonly OneBotSegment[], extras: OneBotExtras) => hasExtras(of(segments), extras)
    expect([asks([reply('5')], REPLIES), asks([reply('5')], NO_AT)]).toEqual([true, true])
    expect(asks([bundle], { ...NO_EXTRAS, bundles: true })).toBe(true)
    expect([asks([reply('5'), bundle], NO_EXTRAS), asks([bundle], REPLIES), asks([text('a')], REPLIES)]).toEqual([
      false,
      false,
      false,
    ])
    const given = of([reply('5')])
    expect(await withExtras(platform, given, NO_EXTRAS)).toBe(given)
  })
})

describe("go-cqhttp's message options", () => {
  const said = (event: unknown): unknown[] => listOf(field(event, 'message'))

  it('are those of events, of messages that are asked for, and of history', async () => {
    const scene = await Scene.start('node', { onebot: { message: { 'extra-reply-data': true } } })
    const { group: group_id, bo } = scene
    const first = await scene.say(scene.ada, 'tea?')
    const asked = await scene.robo.event({ post_type: 'message', raw_message: 'tea?' })
    const { num } = await scene.say(bo, 'yes', { reply_to: first.id })
    const whole = [
      {
        type: 'reply',
        data: {
          id: String(first.num),
          seq: String(first.seq),
          qq: String(scene.adaId),
          time: String(asked['time']),
          text: 'tea?',
        },
      },
      text('yes'),
    ]
    const event = await scene.robo.event({ post_type: 'message', message_id: num })
    expect(said(event)).toEqual(whole)
    expect(event['raw_message']).toMatch(/^\[CQ:reply,id=\d+,seq=\d+,qq=\d+,time=\d{10},text=tea\?\]yes$/)
    expect(said(await scene.robo.get('get_msg', { message_id: num }))).toEqual(whole)
    const history = async (more: object): Promise<unknown[]> => {
      const page = await scene.robo.get('get_group_msg_history', { group_id, ...more })
      return said(listOf(field(page, 'messages')).at(-1))
    }
    expect(await history({})).toEqual(whole)
    expect(await history({ parse_mult_msg: false })).toEqual(whole)
    // A bot that says it again says the reply, and no more.
    const sent = await scene.robo.get('send_group_msg', { group_id, message: said(event) })
    expect(said(await scene.robo.get('get_msg', { message_id: field(sent, 'message_id') }))).toEqual(whole)
  })

  it('leave out whom a reply answers, where they are called behind it', async () => {
    const scene = await Scene.start('node', { onebot: { message: { 'remove-reply-at': true } } })
    const first = await scene.say(scene.ada, 'tea?')
    const { num } = await scene.say(scene.bo, '@ada yes', { reply_to: first.id })
    const event = await scene.robo.event({ post_type: 'message', message_id: num })
    expect(said(event)).toEqual([reply(String(first.num)), text(' yes')])
    expect(event['raw_message']).toBe(`[CQ:reply,id=${first.num}] yes`)
  })

  it('else change nothing', async () => {
    const scene = await Scene.start('node')
    const first = await scene.say(scene.ada, 'tea?')
    const { num } = await scene.say(scene.bo, '@ada yes', { reply_to: first.id })
    expect(said(await scene.robo.event({ post_type: 'message', message_id: num }))).toMatchObject([
      reply(String(first.num)),
      { type: 'at', data: { qq: String(scene.adaId) } },
      text(' yes'),
    ])
  })
})
