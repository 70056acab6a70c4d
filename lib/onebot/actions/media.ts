import { Compile } from 'typebox/schema'
import type { OneBotFile } from '../../../include-types/onebot.ts'
import { badRequest, PlatformError } from '../failure.ts'
import { after } from '../after.ts'
import { type Action, action } from './action.ts'
import { TEXT } from './params.ts'

/* Files that were sent. */

const Image = Compile({ type: 'object', required: [], properties: { file: TEXT, file_id: TEXT } })
const Voice = Compile({ type: 'object', required: [], properties: { file: TEXT, file_id: TEXT, out_format: TEXT } })

/** What `out_format` calls what is stored. */
const FORMATS: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'audio/ogg': 'ogg',
  'audio/amr': 'amr',
}

/** Both ways to say it: go-cqhttp's, and NapCat's. */
const toFile = ({ path, size, name, url }: OneBotFile) => ({
  file: path,
  size,
  filename: name,
  url,
  file_size: String(size),
  file_name: name,
})

function nameOf({
  file,
  file_id,
}: {
  readonly file?: string | undefined
  readonly file_id?: string | undefined
}): string {
  const name = file ?? file_id
  if (name === undefined) throw badRequest('file or file_id: is needed')
  return name
}

export const MEDIA_ACTIONS: readonly Action[] = [
  action('get_image', Image, (params, { platform }) =>
    after(platform.file(nameOf(params)), (file) => {
      if (file.kind !== 'image') throw new PlatformError('IMAGE_NOT_FOUND')
      return toFile(file)
    }),
  ),
  action('get_record', Voice, (params, { platform }) =>
    after(platform.file(nameOf(params)), (file) => {
      if (file.kind !== 'record') throw new PlatformError('FILE_NOT_FOUND')
      const { out_format: wanted } = params
      if (wanted !== undefined && FORMATS[file.mime] !== wanted) {
        throw new PlatformError(
          'FILE_NOT_FOUND',
          `it is ${FORMATS[file.mime] ?? file.mime}, and nothing is converted here`,
        )
      }
      return toFile(file)
    }),
  ),
]
