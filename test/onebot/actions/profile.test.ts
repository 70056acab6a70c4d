import { describe, expect, it } from 'vitest'
import { upload } from '../../support/forms.ts'
import { field, listOf } from '../../support/gateway.ts'
import { Scene } from '../../support/onebot-scene.ts'
import { png } from '../../support/stored.ts'

const base64 = (bytes: Buffer): string => `base64://${bytes.toString('base64')}`

describe('how a bot appears', () => {
  it('is an image that anybody sees, and another one in its place', async () => {
    const scene = await Scene.start('node')
    const { robo, ada } = scene
    const robosPath = `/users/${await scene.bots.userOf('robo')}`
    const avatar = async () => String(field(await scene.http(ada, 'GET', robosPath), 'avatar_url'))
    const read = (path: string) => fetch(`http://127.0.0.1:${scene.bots.port()}${path}`)
    expect(await robo.get('set_qq_avatar', { file: base64(png('one')) })).toBeNull()
    const first = await avatar()
    const reply = await read(first)
    expect(reply.headers.get('content-type')).toBe('image/png')
    expect(Buffer.from(await reply.arrayBuffer())).toEqual(png('one'))
    await robo.get('set_qq_avatar', { file: base64(png('two')) })
    const second = await avatar()
    expect(second).not.toBe(first)
    expect((await read(first)).status).toBe(404)
    // What was sent in a chat is not for anybody.
    const { id } = await upload(scene.bots.gateway, scene.bo, scene.channel, png('three'), 'three.png')
    expect((await read(`/portraits/${id}`)).status).toBe(404)
    // What is needed is not swept away.
    await scene.bots.world.files.sweep()
    expect(Buffer.from(await (await read(second)).arrayBuffer())).toEqual(png('two'))
    for (const [file, why] of [
      [base64(Buffer.from('no image')), '1200 LOAD_FILE_ERROR'],
      ['base64://%', '1200 LOAD_FILE_ERROR'],
      ['file:///etc/passwd', '1200 OPEN_FILE_ERROR'],
      ['http://127.0.0.1:1/x.png', '1200 DOWNLOAD_FILE_ERROR'],
      ['nothing', '1200 FILE_NOT_FOUND'],
      [base64(Buffer.concat([png('big'), Buffer.alloc(8_388_608)])), '1200 LOAD_FILE_ERROR'],
    ] as const) {
      expect(await scene.why('set_qq_avatar', { file })).toBe(why)
    }
    expect(await avatar()).toBe(second)
  })

  it('is there for others as it says: away, busy, not at all; and again when it comes again', async () => {
    const scene = await Scene.start('node')
    const { robo } = scene
    const robo_id = await scene.bots.userOf('robo')
    const status = async () => field(await scene.http(scene.ada, 'GET', `/users/${robo_id}`), 'status')
    for (const [number, shown] of [
      [30, 'away'],
      [70, 'dnd'],
      [40, 'offline'],
      [10, 'online'],
      ['50', 'dnd'],
      [60, 'online'],
    ] as const) {
      await robo.get('set_online_status', { status: number, ext_status: 0, battery_status: 0 })
      expect(await status()).toBe(shown)
    }
    expect(await scene.why('set_online_status', { status: 11 })).toBe(
      '1400 status: must be one of 10, 30, 40, 50, 60, 70',
    )
    await robo.get('set_online_status', { status: 30 })
    await scene.self.close()
    await robo.close()
    await expect.poll(status).toBe('offline')
    await scene.bots.connect()
    expect(await status()).toBe('away')
  })

  it('has words under its name', async () => {
    const scene = await Scene.start('node')
    const { robo, ada } = scene
    const path = `/users/${await scene.bots.userOf('robo')}`
    expect(await robo.get('set_diy_online_status', { face_id: 21, face_type: '1', wording: 'boiling' })).toBe('')
    expect(await scene.http(ada, 'GET', path)).toMatchObject({ custom_status: 'boiling' })
    await robo.get('set_diy_online_status', { face_id: '21' })
    expect(await scene.http(ada, 'GET', path)).toMatchObject({ custom_status: null })
    expect(await scene.why('set_diy_online_status', { face_id: '1', wording: 'x'.repeat(129) })).toBe(
      '1200 SEND_MSG_API_ERROR',
    )
  })

  it('gives a group its image, where it may', async () => {
    const scene = await Scene.start('node')
    const { robo, ada, group: group_id } = scene
    const icon = async () => {
      const channels = listOf(await scene.http(ada, 'GET', `/servers/${scene.server}/channels`))
      return field(channels[0], 'icon_url')
    }
    expect(await icon()).toBeUndefined()
    const file = base64(png('quay'))
    expect(await robo.get('set_group_portrait', { group_id, file, cache: 1 })).toEqual({ result: 0, errMsg: 'success' })
    const reply = await fetch(`http://127.0.0.1:${scene.bots.port()}${String(await icon())}`)
    expect(Buffer.from(await reply.arrayBuffer())).toEqual(png('quay'))
    expect(await scene.why('set_group_portrait', { group_id, file }, scene.mate)).toBe('1200 PERMISSION_DENIED')
    expect(await scene.why('set_group_portrait', { group_id: 1, file })).toBe('1200 GROUP_NOT_FOUND')
    expect(await scene.http(ada, 'GET', `/servers/${scene.server}/audit-log`)).toEqual(
      expect.arrayContaining([expect.objectContaining({ action: 'channel.update' })]),
    )
  })
})
