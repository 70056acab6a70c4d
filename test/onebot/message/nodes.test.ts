import { describe, expect, it } from 'vitest'
import type { OneBotSegment } from '../../../include-types/onebot.ts'
import { Failure, PlatformError } from '../../../lib/onebot/failure.ts'
import { readNodes } from '../../../lib/onebot/message/nodes.ts'
import type { Unknown } from '../../../lib/onebot/message/outgoing.ts'
import { FakePlatform } from '../../support/onebot-platform.ts'

const text = (said: string): OneBotSegment => ({ type: 'text', data: { text: said } })
const node = (data: Readonly<Record<string, unknown>>): OneBotSegment => ({ type: 'node', data })
const made = (content: unknown, more: object = {}): OneBotSegment =>
  node({ user_id: '7', nickname: 'mira', time: 1_770_000_000, content, ...more })

const read = (messages: unknown, unknown: Unknown = 'relay', platform = new FakePlatform()) =>
  readNodes({ platform, unknown }, messages)

/** Why they cannot be read. */
async function why(messages: unknown, unknown: Unknown = 'relay'): Promise<string> {
  try {
    await read(messages, unknown)
  } catch (error) {
    if (error instanceof Failure) return `${error.retcode} ${error.message}`
    throw error
  }
  return ''
}

describe('messages that are sent on together', () => {
  it('are made up', async () => {
    const expected = { userId: 7, nickname: 'mira', time: 1_770_000_000, segments: [text('a')] }
    expect(await read([made([text('a')]), made('a'), made(text('a'))])).toEqual([expected, expected, expected])
  })

  it('go by other names for the same', async () => {
    const [one] = await read([node({ uin: 8, name: 'ono', time: '1770000001', content: 'a[CQ:face,id=1]' })])
    expect(one).toEqual({
      userId: 8,
      nickname: 'ono',
      time: 1_770_000_001,
      segments: [text('a'), { type: 'face', data: { id: '1' } }],
    })
  })

  it("are the bot's own by default, and of now", async () => {
    const before = Math.floor(Date.now() / 1000)
    const [one] = await read([node({ content: 'a' })])
    expect(one).toMatchObject({ userId: 20_001, nickname: 'robo' })
    expect(one?.time).toBeGreaterThanOrEqual(before)
    expect(one?.time).toBeLessThanOrEqual(Math.floor(Date.now() / 1000))
  })

  it('are named by their ids', async () => {
    const platform = new FakePlatform()
    const id = platform.keep({ text: 'tea', from: 30_001 })
    expect(await read([node({ id: String(id) }), node({ id })], 'relay', platform)).toEqual(
      Array.from({ length: 2 }, () => ({
        userId: 30_001,
        nickname: 'mira',
        time: 1_770_000_000,
        segments: [text('tea')],
      })),
    )
  })

  it('are left out where they say nothing', async () => {
    expect(await read([node({ id: 404 }), node({ id: 'x' }), node({}), made(''), made([]), made(text(''))])).toEqual([])
    expect(await read([node({ id: 404 }), made('a')])).toHaveLength(1)
  })

  it('are not read where something else is wrong', async () => {
    const platform = new FakePlatform()
    platform.message = () => {
      throw new Error('the disk is full')
    }
    await expect(Promise.resolve().then(() => read([node({ id: 1 })], 'relay', platform))).rejects.toThrow(
      'the disk is full',
    )
    platform.message = () => Promise.reject(new PlatformError('MESSAGE_NOT_FOUND'))
    expect(await read([node({ id: 1 })], 'relay', platform)).toEqual([])
  })

  it('are nothing but nodes', async () => {
    expect(await why([text('a')])).toBe('1400 messages: must be nodes')
    expect(await why([made('a'), text('a')])).toBe('1400 messages: must be nodes')
    expect(await why('a')).toBe('1400 messages: must be nodes')
    expect(await why(null)).toMatch(/^1400 /)
    expect(await why(made('a'))).toBe('')
  })

  it('have content like that of any message', async () => {
    expect(await why([made([{ type: 'hologram', data: {} }])], 'error')).toMatch(/^1400 .*'hologram'/)
    expect(await why([made([made('a'), text('a')])])).toMatch(/^1400 .*转发消息/)
    expect(await why([made(null)])).toMatch(/^1400 /)
    expect(await why([made(5)])).toBe('')
  })

  it('may have such messages in them, three deep', async () => {
    const [one] = await read([made([made('inner')])])
    expect(one?.segments).toEqual([
      {
        type: 'forward',
        data: {
          content: [
            { type: 'node', data: { user_id: '7', nickname: 'mira', time: '1770000000', content: [text('inner')] } },
          ],
        },
      },
    ])
    expect(await why([made([made([made('a')])])])).toBe('')
    expect(await why([made([made([made([made('a')])])])])).toBe('1400 messages: 3 bundles in each other at most')
  })

  it('are refused however deep they are', async () => {
    let deep: unknown = 'a'
    for (let i = 0; i < 100_000; i++) deep = [made(deep)]
    expect(await why(deep)).toBe('1400 messages: 3 bundles in each other at most')
  })
})
