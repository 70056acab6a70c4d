import { Compile } from 'typebox/schema'
import type { OneBotFolder, OneBotGroupFile } from '../../../include-types/onebot-parts.ts'
import { after } from '../after.ts'
import { badRequest } from '../failure.ts'
import { findFile } from '../media/intake.ts'
import { type Action, action, type Call, part } from './action.ts'
import { FLAG, ID, NUMBER, OfGroup, TEXT } from './params.ts'

/* Files of groups. */

const Root = Compile({ type: 'object', required: ['group_id'], properties: { group_id: ID, file_count: NUMBER } })
const Folder = Compile({
  type: 'object',
  required: ['group_id'],
  properties: { group_id: ID, folder_id: TEXT, folder: TEXT, file_count: NUMBER },
})
const OfFile = Compile({
  type: 'object',
  required: ['group_id', 'file_id'],
  properties: { group_id: ID, file_id: TEXT, busid: NUMBER },
})
const Upload = Compile({
  type: 'object',
  required: ['group_id', 'file'],
  properties: { group_id: ID, file: TEXT, name: TEXT, folder: TEXT, folder_id: TEXT, upload_file: FLAG },
})
const MakeFolder = Compile({
  type: 'object',
  required: ['group_id'],
  properties: { group_id: ID, name: TEXT, folder_name: TEXT, parent_id: TEXT, folder_id: TEXT },
})
const Move = Compile({
  type: 'object',
  required: ['group_id', 'file_id', 'target_parent_directory'],
  properties: { group_id: ID, file_id: TEXT, current_parent_directory: TEXT, target_parent_directory: TEXT },
})
const Rename = Compile({
  type: 'object',
  required: ['group_id', 'file_id', 'new_name'],
  properties: { group_id: ID, file_id: TEXT, current_parent_directory: TEXT, new_name: TEXT },
})

/** Files that are listed where no number is said: NapCat's. */
const SOME = 50
/** And at most. */
const MOST = 1000
/** A number that says: as many as one likes. */
const NO_LIMIT = 2_147_483_647

/** The root has several names: Koishi makes a number of ''. */
const toFolderId = (...given: readonly (string | undefined)[]): string => {
  const id = given.find((one) => one !== undefined) ?? ''
  return id === '/' || id === '0' ? '' : id
}

const toFile =
  (group_id: number) =>
  ({ id, name, size, downloads, uploadedAt, modifiedAt, uploader }: OneBotGroupFile) => ({
    group_id,
    file_id: id,
    file_name: name,
    busid: 0,
    file_size: size,
    size,
    upload_time: uploadedAt,
    dead_time: 0,
    modify_time: modifiedAt,
    download_times: downloads,
    uploader: uploader.id,
    uploader_name: uploader.name,
  })

const toFolder =
  (group_id: number) =>
  ({ id, name, files, createdAt, creator }: OneBotFolder) => ({
    group_id,
    folder_id: id,
    folder: id,
    folder_name: name,
    create_time: createdAt,
    creator: creator.id,
    creator_name: creator.name,
    total_file_count: files,
  })

const list = ({ platform }: Call, group: number, folder: string, count = SOME): unknown =>
  after(part(platform.groupFiles).list(group, folder, Math.max(0, Math.min(count, MOST))), ({ files, folders }) => ({
    files: files.map(toFile(group)),
    folders: folders.map(toFolder(group)),
  }))

export const GROUP_FILE_ACTIONS: readonly Action[] = [
  action('upload_group_file', Upload, async ({ group_id, file, name = '', folder, folder_id }, call) => {
    const files = part(call.platform.groupFiles)
    const given = await findFile(call, file, 'file', name)
    return { file_id: await files.upload(group_id, given, toFolderId(folder_id, folder)) }
  }),
  action('delete_group_file', OfFile, ({ group_id, file_id }, { platform }) =>
    after(part(platform.groupFiles).remove(group_id, file_id), () => null),
  ),
  action('create_group_file_folder', MakeFolder, ({ group_id, folder_name, name = folder_name }, { platform }) => {
    if (name === undefined) throw badRequest('name or folder_name: is needed')
    return after(part(platform.groupFiles).makeFolder(group_id, name), (folder) => {
      const { folder_id, ...rest } = toFolder(group_id)(folder)
      return { folder_id, result: { retCode: 0, retMsg: 'ok', clientWording: '' }, groupItem: { folderInfo: rest } }
    })
  }),
  action('delete_group_folder', Folder, ({ group_id, folder, folder_id = folder }, { platform }) => {
    if (folder_id === undefined) throw badRequest('folder_id or folder: is needed')
    return after(part(platform.groupFiles).removeFolder(group_id, folder_id), () => null)
  }),
  action('get_group_file_system_info', OfGroup, ({ group_id }, { platform }) =>
    after(part(platform.groupFiles).usage(group_id), ({ count, bytes }) => ({
      file_count: count,
      limit_count: NO_LIMIT,
      used_space: bytes,
      total_space: Number.MAX_SAFE_INTEGER,
    })),
  ),
  action('get_group_root_files', Root, ({ group_id, file_count }, call) => list(call, group_id, '', file_count)),
  action('get_group_files_by_folder', Folder, ({ group_id, folder, folder_id, file_count }, call) =>
    list(call, group_id, toFolderId(folder_id, folder), file_count),
  ),
  action('get_group_file_url', OfFile, ({ group_id, file_id }, { platform }) =>
    after(part(platform.groupFiles).link(group_id, file_id), (url) => ({ url })),
  ),
  action('move_group_file', Move, ({ group_id, file_id, target_parent_directory }, { platform }) =>
    after(part(platform.groupFiles).move(group_id, file_id, toFolderId(target_parent_directory)), () => ({ ok: true })),
  ),
  action('rename_group_file', Rename, ({ group_id, file_id, new_name }, { platform }) =>
    after(part(platform.groupFiles).rename(group_id, file_id, new_name), () => ({ ok: true })),
  ),
]
