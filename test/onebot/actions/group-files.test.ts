import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { upload } from '../../support/forms.ts'
import { field, listOf } from '../../support/gateway.ts'
import { SELF } from '../../support/onebot.ts'
import { notice, Scene } from '../../support/onebot-scene.ts'
import { makeFolder } from '../../support/world.ts'

const base64 = (text: string): string => `base64://${Buffer.from(text).toString('base64')}`

async function setUp(power?: number) {
  const folder = makeFolder()
  const options = { onebot: { media: { folders: [folder] } }, ...(power === undefined ? {} : { power }) }
  const scene = await Scene.start('node', options)
  const { group } = scene
  const run = (action: string, params: object = {}) => scene.robo.get(action, { group_id: group, ...params })
  const why = (action: string, params: object = {}) => scene.why(action, { group_id: group, ...params })
  const put = async (text: string, name: string, more: object = {}): Promise<string> =>
    String(field(await run('upload_group_file', { file: base64(text), name, ...more }), 'file_id'))
  /** As another bot sees them. */
  const list = (action = 'get_group_root_files', params: object = {}) =>
    scene.mate.get(action, { group_id: group, ...params })
  const names = async (folder_id = ''): Promise<unknown[]> =>
    listOf(field(await list('get_group_files_by_folder', { folder_id }), 'files')).map((one) => field(one, 'file_name'))
  return { scene, group, folder, run, why, put, list, names }
}

describe('a file that a bot puts into a group', () => {
  it('is seen by people, told to bots, and found by all', async () => {
    const { scene, group, put, list } = await setUp()
    const id = await put('menu', '../menu ☕.txt')
    const seen = await scene.eyes.next('MESSAGE_CREATE')
    expect(seen).toMatchObject({ content: '', files: [{ id, name: 'menu ☕.txt', kind: 'file', size: 4 }] })
    const [message, told] = await scene.told(scene.mate)
    expect(message).toMatchObject({
      message: [{ type: 'file', data: { file: 'menu ☕.txt', file_id: id, file_size: '4' } }],
    })
    const file = { id, name: 'menu ☕.txt', size: 4, busid: 0 }
    const fields = { group_id: group, user_id: SELF, file, self_id: scene.mateId }
    expect(told).toEqual(notice('group_upload', fields))
    const found = await list()
    expect(found).toEqual({
      files: [
        {
          group_id: group,
          file_id: id,
          file_name: 'menu ☕.txt',
          busid: 0,
          file_size: 4,
          size: 4,
          upload_time: field(found, 'files', 0, 'upload_time'),
          dead_time: 0,
          modify_time: field(found, 'files', 0, 'upload_time'),
          download_times: 0,
          uploader: SELF,
          uploader_name: 'robo',
        },
      ],
      folders: [],
    })
    expect(String(field(found, 'files', 0, 'upload_time'))).toMatch(/^\d{10}$/)
    const url = String(field(await list('get_group_file_url', { file_id: id }), 'url'))
    expect(await (await fetch(url)).text()).toBe('menu')
    expect(field(await list(), 'files', 0, 'download_times')).toBe(1)
    expect(await list('get_group_file_system_info')).toMatchObject({ file_count: 1, used_space: 4 })
  })

  it('may come from a folder that is named, under its own name', async () => {
    const { folder, run, why, names } = await setUp()
    writeFileSync(join(folder, 'bill.txt'), 'tea 2')
    await run('upload_group_file', { file: join(folder, 'bill.txt') })
    await run('upload_group_file', { file: `file://${folder}/bill.txt`, name: 'other.txt' })
    expect(await names()).toEqual(['other.txt', 'bill.txt'])
    expect(await why('upload_group_file', { file: '/etc/passwd', name: 'x' })).toBe('1200 OPEN_FILE_ERROR')
    expect(await why('upload_group_file', { file: 'http://127.0.0.1/', name: 'x' })).toBe('1200 DOWNLOAD_FILE_ERROR')
    expect(await why('upload_group_file', { file: 'nothing', name: 'x' })).toBe('1200 FILE_NOT_FOUND')
    expect(await why('upload_group_file', { file: base64('x'), folder: 'nowhere' })).toBe('1200 FILE_NOT_FOUND')
    expect(await why('upload_group_file', { group_id: 1, file: base64('x') })).toBe('1200 GROUP_NOT_FOUND')
    expect(await names()).toHaveLength(2)
  })

  it('is there beside those of people, the newest first, as many as are asked for', async () => {
    const { scene, put, list, names } = await setUp()
    await put('one', 'one.txt')
    const file = await upload(scene.bots.gateway, scene.bo, scene.channel, 'two', 'two.txt')
    await scene.forget()
    await scene.say(scene.bo, 'look', { file_ids: [file.id] })
    expect((await scene.both())[0]).toMatchObject([
      { post_type: 'message' },
      { notice_type: 'group_upload', user_id: scene.boId, file: { id: file.id, name: 'two.txt', size: 3 } },
    ])
    expect(await names()).toEqual(['two.txt', 'one.txt'])
    expect(field(await list('get_group_root_files', { file_count: 1 }), 'files')).toMatchObject([
      { uploader: scene.boId },
    ])
    expect(field(await list('get_group_root_files', { file_count: 0 }), 'files')).toEqual([])
  })

  it('lies in folders, which are made, filled, emptied and removed', async () => {
    const { scene, run, why, put, list, names } = await setUp()
    const made = await run('create_group_file_folder', { folder_name: 'charts' })
    const folder_id = String(field(made, 'folder_id'))
    await run('create_group_file_folder', { name: 'bills', parent_id: '/' })
    expect(field(await list(), 'folders')).toMatchObject([
      { folder_name: 'bills', creator: SELF, creator_name: 'robo', total_file_count: 0 },
      { folder_id, folder: folder_id, folder_name: 'charts' },
    ])
    const [one, two] = [
      await put('one', 'one.txt', { folder: folder_id }),
      await put('two', 'two.txt', { folder_id: '/' }),
    ]
    expect([await names(folder_id), await names(), await names('0')]).toEqual([['one.txt'], ['two.txt'], ['two.txt']])
    const directories = { current_parent_directory: '/', target_parent_directory: folder_id }
    expect(await run('move_group_file', { file_id: two, ...directories })).toEqual({ ok: true })
    expect([await names(folder_id), await names()]).toEqual([['two.txt', 'one.txt'], []])
    const renamed = { file_id: two, current_parent_directory: folder_id, new_name: 'three.txt' }
    expect(await run('rename_group_file', renamed)).toEqual({ ok: true })
    await run('delete_group_file', { file_id: one, busid: 0 })
    expect(await names(folder_id)).toEqual(['three.txt'])
    const { files } = scene.bots.world
    expect([files.find(one), files.find(two)?.name]).toEqual([null, 'two.txt'])
    await run('delete_group_folder', { folder_id })
    expect([files.find(two), field(await list(), 'folders')]).toMatchObject([null, [{ folder_name: 'bills' }]])
    for (const [action, params] of [
      ['delete_group_folder', { folder_id }],
      ['get_group_files_by_folder', { folder_id }],
      ['delete_group_file', { file_id: one }],
      ['get_group_file_url', { file_id: one }],
      ['move_group_file', { file_id: one, ...directories }],
      ['rename_group_file', { ...renamed, file_id: one }],
    ] as const) {
      expect([action, await why(action, params)]).toEqual([action, '1200 FILE_NOT_FOUND'])
    }
    for (const name of ['bills']) {
      expect(await why('create_group_file_folder', { name })).toBe('1200 PERMISSION_DENIED')
    }
    for (const name of ['..', 'a/b', ' ']) {
      expect(await why('create_group_file_folder', { name })).toBe('1200 FILE_SYSTEM_API_ERROR')
    }
    expect(await why('create_group_file_folder')).toMatch(/^1400/)
    expect(await why('delete_group_folder')).toMatch(/^1400/)
  })

  it('is arranged by who may: its sender, and admins', async () => {
    const { scene, why, put, names } = await setUp(0)
    const own = await put('one', 'one.txt')
    const file = await upload(scene.bots.gateway, scene.bo, scene.channel, 'two', 'two.txt')
    await scene.say(scene.bo, 'look', { file_ids: [file.id] })
    expect(await why('delete_group_file', { file_id: file.id })).toBe('1200 PERMISSION_DENIED')
    expect(await why('create_group_file_folder', { name: 'x' })).toBe('1200 PERMISSION_DENIED')
    expect(await why('delete_group_file', { file_id: own })).toBe('ok')
    expect(await names()).toEqual(['two.txt'])
  })

  it('of one that is sent again it has all bytes', async () => {
    const { scene, put, run } = await setUp()
    const text = 'tea '.repeat(100_000)
    const id = await put(text, 'long.txt')
    const again = String(field(await run('upload_group_file', { file: id, name: 'again.txt' }), 'file_id'))
    const { files } = scene.bots.world
    const hash = createHash('sha256').update(text).digest('hex')
    expect([id, again].map((one) => files.find(one)?.sha256)).toEqual([hash, hash])
  })
})
