import { readFile } from 'node:fs/promises'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { Compile } from 'typebox/schema'
import type { OneBotFile } from '../../../include-types/onebot.ts'
import { badRequest, PlatformError } from '../failure.ts'
import { after } from '../after.ts'
import { fetchMedia } from '../media/fetch.ts'
import { findFile } from '../media/intake.ts'
import { decodeBase64 } from '../media/source.ts'
import { type Action, action, type Call, part } from './action.ts'
import { ANY, FLAG, ID, NUMBER, TEXT } from './params.ts'

/* Files that were sent, and those that are to be. */

const Image = Compile({ type: 'object', required: [], properties: { file: TEXT, file_id: TEXT } })
const Upload = Compile({
  type: 'object',
  required: ['user_id', 'file'],
  properties: { user_id: ID, file: TEXT, name: TEXT, upload_file: FLAG },
})
const Named = Compile({ type: 'object', required: ['file_id'], properties: { file_id: TEXT } })
const Download = Compile({
  type: 'object',
  required: [],
  properties: { url: TEXT, base64: TEXT, name: TEXT, headers: ANY, thread_count: NUMBER },
})
const Voice = Compile({ type: 'object', required: [], properties: { file: TEXT, file_id: TEXT, out_format: TEXT } })

/** What `out_format` calls what is stored. */
const FORMATS: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'audio/ogg': 'ogg',
  'audio/amr': 'amr',
}

/** Both ways to say it: go-cqhttp's, and NapCat's. */
const toFile = ({ path, size, name, url }: OneBotFile): object => ({
  file: path,
  size,
  filename: name,
  url,
  file_size: String(size),
  file_name: name,
})

/** Bytes of a file that comes with them: base64 is a third more, and all of it is in one frame. */
const MAX_INLINE = 10_485_760

/** With its bytes, where that is wanted. */
async function give(file: OneBotFile, { inlines }: Call): Promise<object> {
  if (!inlines || file.size > MAX_INLINE) return toFile(file)
  return { ...toFile(file), base64: (await readFile(file.path)).toString('base64') }
}

export function nameOf({
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

export function checkImage({ kind }: OneBotFile): void {
  if (kind !== 'image') throw new PlatformError('IMAGE_NOT_FOUND')
}

/** @param format undefined: any */
export function checkRecord({ kind, mime }: OneBotFile, format: string | undefined): void {
  if (kind !== 'record') throw new PlatformError('FILE_NOT_FOUND')
  if (format === undefined || format === '' || FORMATS[mime] === format) return
  throw new PlatformError('FILE_NOT_FOUND', `it is ${FORMATS[mime] ?? mime}, and nothing is converted here`)
}

/** Milliseconds that what is downloaded is there. */
const STAY = 3_600_000
/** Headers of a request that are not for clients to choose: they say where it goes, and where it ends. */
const OURS =
  /^(?:host|connection|content-length|transfer-encoding|upgrade|te|trailer|expect|accept-encoding|proxy-.*)$/i

/** As go-cqhttp has them: `['Key=Value']`, or lines of that. */
function readHeaders(given: unknown): Readonly<Record<string, string>> {
  const lines: readonly unknown[] = typeof given === 'string' ? given.split(/\r?\n/) : Array.isArray(given) ? given : []
  const pairs = lines.flatMap((line): [string, string][] => {
    const mark = typeof line === 'string' ? line.search(/[=:]/) : -1
    if (typeof line !== 'string' || mark === -1) return []
    const key = line.slice(0, mark).trim()
    return key === '' || OURS.test(key) ? [] : [[key, line.slice(mark + 1).trim()]]
  })
  for (const [key, value] of pairs) {
    try {
      validateHeaderName(key)
      validateHeaderValue(key, value)
    } catch {
      throw badRequest(`headers: ${key} is no header`)
    }
  }
  return Object.fromEntries(pairs)
}

/** Where a file is for a while, for the actions that send one. */
async function download(
  { spool, media }: Call,
  from: { readonly url?: string; readonly base64?: string; readonly name?: string; readonly headers?: unknown },
): Promise<object> {
  const { url = '', base64 = '', name = '' } = from
  if (url === '' && base64 === '') throw badRequest('url or base64: is needed')
  const { bytes, name: found } =
    base64 === ''
      ? await fetchMedia(url, { ...media, headers: readHeaders(from.headers) })
      : { bytes: decodeBase64(base64, media.maxBytes), name: '' }
  const { path } = await spool.keep(name || found || 'file', bytes, STAY)
  return { file: path }
}

export const MEDIA_ACTIONS: readonly Action[] = [
  action('get_file', Image, (params, call) => after(call.platform.file(nameOf(params)), (file) => give(file, call))),
  action('get_private_file_url', Named, ({ file_id }, { platform }) =>
    after(platform.file(file_id), ({ url }) => ({ url })),
  ),
  action('upload_private_file', Upload, async ({ user_id, file, name = '' }, call) => {
    const { platform } = call
    const kept = await part(platform.store?.(await findFile(call, file, 'file', name)))
    await platform.send({ user: user_id }, [
      { type: 'file', data: { file: kept.name, name: kept.name, file_id: kept.id } },
    ])
    return { file_id: kept.id }
  }),
  action('download_file', Download, (params, call) => download(call, params)),
  action('get_image', Image, (params, call) =>
    after(call.platform.file(nameOf(params)), (file) => {
      checkImage(file)
      return give(file, call)
    }),
  ),
  action('get_record', Voice, (params, call) =>
    after(call.platform.file(nameOf(params)), (file) => {
      checkRecord(file, params.out_format)
      return give(file, call)
    }),
  ),
]
