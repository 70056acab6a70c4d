import { describe, expect, it } from 'vitest'
import { field, listOf } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { Scene } from '../../support/onebot-scene.ts'
import { png } from '../../support/stored.ts'

describe('what a bot announces', () => {
  it('is read by other bots, with its image, those that are pinned first, and removed', async () => {
    const scene = await Scene.start('node')
    const group_id = scene.group
    const add = async (content: string, more: object = {}): Promise<string> =>
      String(field(await scene.robo.get('_send_group_notice', { group_id, content, ...more }), 'notice_id'))
    const list = async () => listOf(await scene.mate.get('_get_group_notice', { group_id }))
    const one = await add('tea at four', { pinned: 1 })
    const two = await add('no tea', { image: `base64://${png('cup').toString('base64')}` })
    const [first, second] = await list()
    expect(first).toEqual({
      notice_id: one,
      sender_id: SELF,
      publish_time: field(first, 'publish_time'),
      message: { text: 'tea at four', images: [], image: [] },
      settings: { is_show_edit_card: 0, remind_ts: 0, tip_window_type: 0, confirm_required: 0, pinned: 1 },
      read_num: 0,
    })
    expect(String(field(first, 'publish_time'))).toMatch(/^\d{10}$/)
    expect(second).toMatchObject({ notice_id: two, message: { text: 'no tea', images: [{ height: '0', width: '0' }] } })
    const reply = await fetch(String(field(second, 'message', 'images', 0, 'url')))
    expect(Buffer.from(await reply.arrayBuffer())).toEqual(png('cup'))
    await scene.robo.get('_del_group_notice', { group_id, notice_id: one })
    await scene.robo.get('_delete_group_notice', { group_id, notice_id: two })
    expect(await list()).toEqual([])
    expect(await scene.why('_del_group_notice', { group_id, notice_id: one })).toBe('1200 MESSAGE_NOT_FOUND')
  })

  it('is what it may, and an image where it says one', async () => {
    const scene = await Scene.start('node', { power: 0 })
    const of = { group_id: scene.group, content: 'tea' }
    expect(await scene.why('_send_group_notice', of)).toBe('1200 PERMISSION_DENIED')
    expect(await scene.why('_get_group_notice', { group_id: 1 })).toBe('1200 GROUP_NOT_FOUND')
    const strong = await Scene.start('node')
    const more = { group_id: strong.group, content: 'tea' }
    expect(await strong.why('_send_group_notice', { ...more, image: 'base64://Zm9n' })).toBe('1200 LOAD_FILE_ERROR')
    expect(await strong.why('_send_group_notice', { ...more, image: 'file:///etc/passwd' })).toBe(
      '1200 OPEN_FILE_ERROR',
    )
    expect(await strong.why('_send_group_notice', { ...more, content: '' })).toBe('1200 SEND_MSG_API_ERROR')
    expect(await strong.robo.get('_get_group_notice', { group_id: strong.group })).toEqual([])
  })
})
