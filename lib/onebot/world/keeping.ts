import type { OneBotNewFile } from '../../../include-types/onebot.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError } from '../failure.ts'
import { toReason } from './refusals.ts'

/** What bytes may be, where they have to be something: a record may come in a container of films. */
const FITS: Readonly<Record<OneBotNewFile['kind'], readonly OneBotNewFile['kind'][]>> = {
  image: ['image'],
  record: ['record', 'video'],
  video: ['video'],
  file: ['image', 'record', 'video', 'file'],
}

/** Keeps a file of a bot, which is for no channel yet; its id. */
export async function keepFile(
  world: World,
  bot: string,
  quota: number,
  { name, kind, bytes }: OneBotNewFile,
): Promise<string> {
  try {
    const { id } = await world.files.keep(bytes, (content) => {
      if (!FITS[kind].includes(content.kind)) throw new PlatformError('LOAD_FILE_ERROR', `is no ${kind}`)
      const ending = content.mime.replace(/^.*\/(?:x-)?/, '').replace('octet-stream', 'bin')
      return world.uploads.keep(bot, name === '' ? `${kind}.${ending}` : name, { ...content, kind }, quota)
    })
    return id
  } catch (error) {
    throw toReason(error, 'FILE_NOT_FOUND')
  }
}
