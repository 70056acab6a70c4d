import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { VIEW_CHANNEL } from '../../../lib/chat/permissions.ts'
import { upload } from '../../support/forms.ts'
import { field, idOf } from '../../support/gateway.ts'
import { Scene } from '../../support/onebot-scene.ts'
import { png } from '../../support/stored.ts'

/** What begins as such files do. */
const WAV = Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt ', 'latin1'), Buffer.alloc(40)])

/** A picture, a voice and a text that bo has sent. */
async function start() {
  const scene = await Scene.start('node')
  const { gateway } = scene.bots
  const image = await upload(gateway, scene.bo, scene.channel, png('cup'), 'cup.png')
  const record = await upload(gateway, scene.bo, scene.channel, WAV, 'ahoy.wav')
  const file = await upload(gateway, scene.bo, scene.channel, 'menu', 'menu.txt')
  await scene.say(scene.bo, '', { file_ids: [image.id, record.id, file.id] })
  return { scene, image, record, file }
}

/** Its bytes: on the disk, and behind its link. */
async function expectBytes(found: unknown, bytes: Buffer): Promise<void> {
  expect(readFileSync(String(field(found, 'file')))).toEqual(bytes)
  const reply = await fetch(String(field(found, 'url')))
  expect([reply.status, Buffer.from(await reply.arrayBuffer())]).toEqual([200, bytes])
}

describe('get_image', () => {
  it('finds what a person has sent, by the name in its segment', async () => {
    const { scene, image } = await start()
    const event = await scene.robo.event({ post_type: 'message' })
    const segment = field(event['message'], 0)
    expect(field(segment, 'data', 'file')).toBe(image.id)
    const found = await scene.robo.get('get_image', { file: field(segment, 'data', 'file') })
    expect(found).toMatchObject({ size: 40, filename: 'cup.png', file_size: '40', file_name: 'cup.png' })
    await expectBytes(found, png('cup'))
    expect(await scene.robo.get('get_image', { file_id: image.id })).toMatchObject({ filename: 'cup.png' })
  })

  it('finds nothing else', async () => {
    const { scene, image, record, file } = await start()
    const why = (params: object, client = scene.robo) => scene.why('get_image', params, client)
    expect(await why({ file: 'none' })).toBe('1200 FILE_NOT_FOUND')
    expect(await why({ file: '../world.db' })).toBe('1200 FILE_NOT_FOUND')
    expect(await why({ file: '' })).toBe('1200 FILE_NOT_FOUND')
    for (const { id } of [record, file]) expect(await why({ file: id })).toBe('1200 IMAGE_NOT_FOUND')
    expect(await why({})).toBe('1400 file or file_id: is needed')
    await scene.hide(scene.channel, 'mate')
    expect(await why({ file: image.id }, scene.mate)).toBe('1200 FILE_NOT_FOUND')
  })

  it('finds what was written to the bot alone, which no other does', async () => {
    const { scene } = await start()
    const robo = await scene.bots.userOf('robo')
    const direct = idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: robo }))
    const { id } = await upload(scene.bots.gateway, scene.bo, direct, png('plate'), 'plate.png')
    await scene.http(scene.bo, 'POST', `/dm-channels/${direct}/messages`, { content: 'look', file_ids: [id] })
    expect(await scene.robo.event({ message_type: 'private' })).toMatchObject({
      message: [{ type: 'text' }, { type: 'image', data: { file: id, file_size: '40' } }],
    })
    await expectBytes(await scene.robo.get('get_image', { file: id }), png('plate'))
    expect(await scene.why('get_image', { file: id }, scene.mate)).toBe('1200 FILE_NOT_FOUND')
  })

  it('of a message that is deleted finds nothing', async () => {
    const { scene, image } = await start()
    const [message] = await scene.page()
    await scene.http(scene.bo, 'DELETE', `/messages/${idOf(message)}`)
    expect(await scene.why('get_image', { file: image.id })).toBe('1200 FILE_NOT_FOUND')
  })
})

describe('get_record', () => {
  it('finds what a person has said, as it is', async () => {
    const { scene, record } = await start()
    for (const params of [{ file: record.id }, { file_id: record.id }, { file: record.id, out_format: 'wav' }]) {
      const found = await scene.robo.get('get_record', params)
      expect(found).toMatchObject({ filename: 'ahoy.wav', size: WAV.length })
      await expectBytes(found, WAV)
    }
  })

  it('converts nothing, and finds nothing else', async () => {
    const { scene, record, image } = await start()
    const why = (params: object, client = scene.robo) => scene.why('get_record', params, client)
    for (const out_format of ['mp3', 'amr', 'spx']) {
      expect(await why({ file: record.id, out_format })).toBe('1200 FILE_NOT_FOUND')
    }
    expect(await why({ file: image.id, out_format: 'mp3' })).toBe('1200 FILE_NOT_FOUND')
    expect(await why({ file: 'none', out_format: 'mp3' })).toBe('1200 FILE_NOT_FOUND')
    expect(await why({ out_format: 'mp3' })).toBe('1400 file or file_id: is needed')
    await scene.http(scene.ada, 'PUT', `/channels/${scene.channel}/overrides`, {
      user_id: await scene.bots.userOf('mate'),
      role_id: null,
      allow: 0,
      deny: VIEW_CHANNEL,
    })
    expect(await why({ file: record.id }, scene.mate)).toBe('1200 FILE_NOT_FOUND')
  })
})
