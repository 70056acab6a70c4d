import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { upload } from '../../support/forms.ts'
import { field } from '../../support/gateway.ts'
import type { Scene } from '../../support/onebot-scene.ts'
import { filesIn, png } from '../../support/stored.ts'
import { containing, has, type Itself, mateReads, reads, type Row, told, writes, writesForItself } from './row.ts'

/* Files: of groups, of messages, and those that are there for a while. */

const FOG = 'base64://Zm9n'
const WAV = Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt ', 'latin1'), Buffer.alloc(40)])

/** A file of bo that is not in the group yet; what puts it there. */
async function prepare({ bots, bo, channel }: Scene, bytes: string | Buffer = 'menu', name = 'menu.txt') {
  const { id } = await upload(bots.gateway, bo, channel, bytes, name)
  return { id, post: (others: Pick<Scene, 'say'>) => others.say(bo, 'look', { file_ids: [id] }) }
}

/** One that is there. */
async function give(scene: Scene, bytes?: string | Buffer, name?: string): Promise<string> {
  const { id, post } = await prepare(scene, bytes, name)
  await post(scene)
  return id
}

const makeFolder = async ({ self, group }: Scene): Promise<string> =>
  String(field(await self.get('create_group_file_folder', { group_id: group, folder_name: 'charts' }), 'folder_id'))

/** What is in no folder, for another bot. */
const root = ({ group }: Scene) => mateReads('get_group_root_files', { group_id: group })

/** Robo sees what it may: admins see all. */
const PLAIN = { power: 0 }

/** A file in a channel that robo sees from then on. */
const found = (shows: (id: string) => unknown, bytes?: Buffer, name?: string, more: object = {}): Row =>
  reads(async (scene) => {
    const { ada, channel } = scene
    const file_id = await give(scene, bytes, name)
    const hidden = await scene.hide(channel, 'robo')
    return {
      params: { file_id, ...more },
      change: (others) => others.http(ada, 'DELETE', `/channels/${channel}/overrides/${hidden}`),
      shows: shows(file_id),
    }
  }, PLAIN)

/** The same in parts. */
const streamed = (bytes: Buffer, name: string, info: object): Row =>
  found(
    () => [
      { data_type: 'file_info', file_name: name, file_size: bytes.length, ...info },
      { data_type: 'file_chunk', data: bytes.toString('base64') },
      { data_type: 'file_complete', total_bytes: bytes.length },
    ],
    bytes,
    name,
  )

/** Files that are there for the bot's clients: their names, and what is in them. */
async function spooled({ bots }: Itself): Promise<string[][]> {
  const { folder } = bots.gateway
  if (filesIn(folder, 'onebot').length === 0) return []
  const all = readdirSync(join(folder, 'onebot'), { recursive: true, withFileTypes: true })
  return all
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'utf8')])
}

export const FILE_ROWS: Readonly<Record<string, Row>> = {
  upload_group_file: writes(async (scene) => ({
    params: { group_id: scene.group, file: FOG, name: 'fog.txt' },
    seen: root(scene),
    shows: (answer) => ({ files: [{ file_id: field(answer, 'file_id'), file_name: 'fog.txt', file_size: 3 }] }),
  })),
  delete_group_file: writes(async (scene) => ({
    params: { group_id: scene.group, file_id: await give(scene) },
    seen: root(scene),
    shows: () => ({ files: [] }),
  })),
  rename_group_file: writes(async (scene) => ({
    params: {
      group_id: scene.group,
      file_id: await give(scene),
      current_parent_directory: '/',
      new_name: 'bill.txt',
    },
    seen: root(scene),
    shows: () => ({ files: [{ file_name: 'bill.txt' }] }),
  })),
  move_group_file: writes(async (scene) => {
    const [file_id, folder_id, group_id] = [await give(scene), await makeFolder(scene), scene.group]
    return {
      params: { group_id, file_id, current_parent_directory: '/', target_parent_directory: folder_id },
      seen: mateReads('get_group_files_by_folder', { group_id, folder_id }),
      shows: () => ({ files: [{ file_id, file_name: 'menu.txt' }] }),
    }
  }),
  create_group_file_folder: writes(async (scene) => ({
    params: { group_id: scene.group, folder_name: 'charts' },
    seen: root(scene),
    shows: (answer) => ({ folders: [{ folder_id: field(answer, 'folder_id'), folder_name: 'charts' }] }),
  })),
  delete_group_folder: writes(async (scene) => ({
    params: { group_id: scene.group, folder_id: await makeFolder(scene) },
    seen: root(scene),
    shows: () => ({ folders: [] }),
  })),
  // Who asks where a file is has it counted.
  get_group_file_url: writes(async (scene) => ({
    params: { group_id: scene.group, file_id: await give(scene) },
    seen: root(scene),
    shows: async (answer) => {
      const reply = await fetch(String(field(answer, 'url')))
      expect(await reply.text()).toBe('menu')
      return { files: [{ download_times: 1 }] }
    },
  })),
  get_group_file_system_info: reads(async (scene) => ({
    params: { group_id: scene.group },
    change: (await prepare(scene)).post,
    shows: { file_count: 1, used_space: 4 },
  })),
  get_group_root_files: reads(async (scene) => ({
    params: { group_id: scene.group },
    change: (await prepare(scene)).post,
    shows: { files: [{ file_name: 'menu.txt', uploader: scene.boId }] },
  })),
  get_group_files_by_folder: reads(async (scene) => {
    const [group_id, folder_id] = [scene.group, await makeFolder(scene)]
    return {
      params: { group_id, folder_id },
      change: ({ mate }) => mate.get('upload_group_file', { group_id, file: FOG, name: 'fog.txt', folder_id }),
      shows: { files: [{ file_name: 'fog.txt', uploader: scene.mateId }] },
    }
  }),

  get_file: found((id) => ({ file_name: 'menu.txt', file_size: '4', url: containing(id) })),
  get_private_file_url: found((id) => ({ url: containing(id) })),
  get_image: found(() => ({ file_name: 'cup.png', file_size: '40' }), png('cup'), 'cup.png'),
  get_record: found(() => ({ file_name: 'ahoy.wav' }), WAV, 'ahoy.wav', { out_format: 'wav' }),
  download_file_stream: streamed(Buffer.from('menu'), 'menu.txt', {}),
  download_file_image_stream: streamed(png('cup'), 'cup.png', { width: 0 }),
  download_file_record_stream: streamed(WAV, 'ahoy.wav', { out_format: '' }),
  upload_private_file: writes(async ({ mateId }) => ({
    params: { user_id: mateId, file: FOG, name: 'fog.txt' },
    seen: told,
    shows: () => has({ notice_type: 'offline_file', file: expect.objectContaining({ name: 'fog.txt', size: 3 }) }),
  })),

  // What is there for a while is seen on the disk.
  download_file: writesForItself(async () => ({
    params: { base64: 'Zm9n', name: 'fog.txt' },
    seen: spooled,
    shows: (answer) => {
      expect(readFileSync(String(field(answer, 'file')), 'utf8')).toBe('fog')
      return [['fog.txt', 'fog']]
    },
  })),
  upload_file_stream: writesForItself(async () => ({
    params: { stream_id: 's', total_chunks: 2, chunk_index: 0, chunk_data: 'Zm9n', filename: 'fog.txt' },
    seen: spooled,
    shows: () => [['fog.txt', 'fog']],
  })),
  clean_stream_temp_file: writesForItself(async ({ self }) => {
    await self.get('download_file', { base64: 'Zm9n', name: 'fog.txt' })
    return { params: {}, seen: spooled, shows: () => [] }
  }),
}
