import { describe, expect, it } from 'vitest'
import { MAX_EXPANDED } from '../../../lib/onebot/actions/history.ts'
import { field, listOf } from '../../support/gateway.ts'
import { Scene, text } from '../../support/onebot-scene.ts'

const NODES = [
  { type: 'node', data: { user_id: '7', nickname: 'Kay', content: [text('one')] } },
  { type: 'node', data: { user_id: '8', nickname: 'Lu', content: '[CQ:face,id=1] two' } },
]

const inside = [
  expect.objectContaining({
    user_id: 7,
    sender: { user_id: 7, nickname: 'Kay', card: '' },
    message: [text('one')],
    raw_message: 'one',
    message_format: 'array',
  }),
  expect.objectContaining({ user_id: 8, message: [{ type: 'face', data: { id: '1' } }, text(' two')] }),
]

async function start(parseMultMsg: boolean) {
  const scene = await Scene.start('node', { onebot: { parseMultMsg } })
  const { group: group_id } = scene
  const sent = await scene.robo.get('send_group_forward_msg', { group_id, messages: NODES })
  return { scene, group_id, id: field(sent, 'forward_id'), message_id: field(sent, 'message_id') }
}

describe('a bundle', () => {
  it('comes with what is in it, where parseMultMsg says so: in events, and where the message is asked for', async () => {
    const { scene, id, message_id } = await start(true)
    const whole = [{ type: 'forward', data: { id, content: inside } }]
    expect(await scene.mate.event({ post_type: 'message' })).toMatchObject({ message: whole })
    expect(await scene.robo.get('get_msg', { message_id })).toMatchObject({ message: whole })
    // CQ text says where it is: it would be as long again.
    const told = await scene.self.event({ post_type: 'message_sent' })
    expect(told).toMatchObject({
      message: `[CQ:forward,id=${String(id)}]`,
      raw_message: `[CQ:forward,id=${String(id)}]`,
    })
  })

  it('else is named, and nothing more', async () => {
    const { scene, id, message_id } = await start(false)
    const named = [{ type: 'forward', data: { id } }]
    expect(await scene.mate.event({ post_type: 'message' })).toMatchObject({ message: named })
    expect(await scene.robo.get('get_msg', { message_id })).toMatchObject({ message: named })
  })

  it('comes whole in history, unless parse_mult_msg is false: of very many the newest', async () => {
    const { scene, group_id, id } = await start(false)
    for (let i = 0; i < MAX_EXPANDED; i++) {
      await scene.robo.get('send_group_forward_msg', { group_id, messages: NODES })
    }
    const read = async (more: object): Promise<unknown[]> => {
      const page = await scene.robo.get('get_group_msg_history', { group_id, ...more })
      return listOf(field(page, 'messages')).map((one) => field(listOf(field(one, 'message'))[0], 'data'))
    }
    const all = await read({})
    expect(all).toHaveLength(MAX_EXPANDED + 1)
    expect(all[0]).toEqual({ id })
    for (const one of all.slice(1)) expect(one).toMatchObject({ content: inside })
    for (const one of await read({ parse_mult_msg: false })) expect(Object.keys(one ?? {})).toEqual(['id'])
  })

  it('in a bundle is whole anyway', async () => {
    const { scene, group_id } = await start(true)
    const messages = [{ type: 'node', data: { user_id: '9', nickname: 'Mo', content: NODES } }]
    await scene.robo.get('send_group_forward_msg', { group_id, messages })
    const event = (await scene.told(scene.mate)).at(-1)
    const [outer] = listOf(field(field(listOf(event?.['message'])[0], 'data'), 'content'))
    const [inner] = listOf(field(outer, 'message'))
    // Messages, as those around them.
    expect(inner).toMatchObject({ type: 'forward', data: { content: inside } })
  })

  it('is said as a segment with its content, too, and again as it was read', async () => {
    const { scene, group_id } = await start(true)
    const forward = { type: 'forward', data: { content: NODES } }
    const nested = [{ type: 'node', data: { user_id: '9', nickname: 'Mo', content: [forward] } }]
    for (const message of [forward, [forward], { type: 'forward', data: { content: nested } }]) {
      const sent = await scene.robo.get('send_group_msg', { group_id, message })
      const found = await scene.robo.get('get_forward_msg', { message_id: field(sent, 'message_id') })
      const nodes = field(found, 'message')
      const again = await scene.robo.get('send_group_forward_msg', { group_id, messages: nodes })
      expect(await scene.robo.get('get_forward_msg', { id: field(again, 'forward_id') })).toMatchObject({
        message: nodes,
      })
    }
  })
})

describe('a file that is asked for', () => {
  it.each([true, false])('comes with its bytes, or not: enableLocalFile2Url %s', async (enableLocalFile2Url) => {
    const scene = await Scene.start('node', { onebot: { enableLocalFile2Url } })
    const { group: group_id } = scene
    const PIXEL = 'R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs='
    await scene.robo.get('send_group_msg', { group_id, message: `[CQ:image,file=base64://${PIXEL}]` })
    const event = await scene.mate.event({ post_type: 'message' })
    const file = field(field(listOf(event['message'])[0], 'data'), 'file')
    for (const action of ['get_image', 'get_file']) {
      expect(field(await scene.robo.get(action, { file }), 'base64')).toBe(enableLocalFile2Url ? PIXEL : undefined)
    }
  })
})
