import { createReadStream } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Compile } from 'typebox/schema'
import type { OneBotFile } from '../../../include-types/onebot.ts'
import { badRequest, PlatformError } from '../failure.ts'
import { Digits } from '../media/digits.ts'
import type { Progress } from '../media/uploads.ts'
import { type Action, action, type Call, type Send } from './action.ts'
import { checkImage, checkRecord, nameOf } from './media.ts'
import { ANY, FLAG, Nothing, NUMBER, TEXT } from './params.ts'

/* Files in parts, as NapCat has them: each frame says what it is in `data.type` and `data.data_type`. */

const Upload = Compile({
  type: 'object',
  required: ['stream_id'],
  properties: {
    stream_id: TEXT,
    chunk_data: ANY,
    chunk_index: NUMBER,
    total_chunks: NUMBER,
    file_size: NUMBER,
    expected_sha256: TEXT,
    is_complete: FLAG,
    filename: TEXT,
    reset: FLAG,
    verify_only: FLAG,
    file_retention: NUMBER,
  },
})
const Download = Compile({
  type: 'object',
  required: [],
  properties: { file: TEXT, file_id: TEXT, chunk_size: NUMBER, out_format: TEXT },
})
const Test = Compile({ type: 'object', required: [], properties: { error: FLAG } })

/** Characters of the name of an upload. */
const MAX_ID = 200
/** Milliseconds that a file is there where nothing is said: NapCat's. */
const STAY = 300_000
/** Bytes of a part where nothing is said, and at most. */
const [PART, MOST] = [65_536, 1_048_576]
/** Of the stream that shows what streams are. */
const [TESTS, PAUSE] = [10, 100]

const toStatus = (stream_id: string, status: string, { received, parts, missing }: Progress) => ({
  type: 'stream',
  stream_id,
  status,
  received_chunks: received,
  total_chunks: parts,
  missing_chunks: missing,
})

interface Uploading {
  readonly stream_id: string
  readonly chunk_data?: unknown
  readonly chunk_index?: number
  readonly total_chunks?: number
  readonly file_size?: number
  readonly expected_sha256?: string
  readonly is_complete?: boolean
  readonly filename?: string
  readonly reset?: boolean
  readonly verify_only?: boolean
  readonly file_retention?: number
}

async function upload(given: Uploading, { uploads }: Call): Promise<object> {
  const { stream_id: id, chunk_index: part, total_chunks: parts } = given
  const data = given.chunk_data ?? ''
  if (typeof data !== 'string' && !(data instanceof Digits)) throw badRequest('chunk_data: must be text')
  if (id === '' || id.length > MAX_ID) throw badRequest(`stream_id: has 1 to ${MAX_ID} characters`)
  if (given.reset === true) {
    uploads.reset(id)
    // An error, though it was done: clients of NapCat know it so.
    throw new PlatformError('LOAD_FILE_ERROR', 'Stream reset completed')
  }
  if (given.verify_only === true) return toStatus(id, 'file_created', uploads.progressOf(id))
  if (!uploads.has(id)) {
    if (parts === undefined) throw badRequest('total_chunks: is needed for a new stream')
    const { filename: name = '', file_size: size = null, file_retention: stay = STAY } = given
    const sha256 = given.expected_sha256 === '' ? null : (given.expected_sha256 ?? null)
    uploads.begin(id, { name, parts, size, sha256, stay })
  }
  if (data !== '' && part !== undefined) return toStatus(id, 'chunk_received', uploads.take(id, part, data))
  const progress = uploads.progressOf(id)
  if (given.is_complete !== true && progress.received < progress.parts) return toStatus(id, 'file_created', progress)
  const file = await uploads.complete(id)
  return {
    type: 'response',
    stream_id: id,
    status: 'file_complete',
    received_chunks: file.parts,
    total_chunks: file.parts,
    file_path: file.path,
    file_size: file.size,
    sha256: file.sha256,
  }
}

/** A file in parts; what there is to say about it in front is `info`. */
async function download(file: OneBotFile, size: number | undefined, send: Send, info: object = {}): Promise<object> {
  const chunk_size = Math.min(MOST, Math.max(1, size ?? PART))
  const about = { file_name: file.name, file_size: file.size, chunk_size }
  let there = await send({ type: 'stream', data_type: 'file_info', ...about, ...info })
  let [index, bytes] = [0, 0]
  const reader = createReadStream(file.path, { highWaterMark: chunk_size })
  for await (const chunk of reader) {
    if (!there || !Buffer.isBuffer(chunk)) break
    bytes += chunk.length
    const data = chunk.toString('base64')
    const progress = Math.round((bytes / Math.max(1, file.size)) * 100)
    const part = { index: index++, data, size: chunk.length, progress, base64_size: data.length }
    there = await send({ type: 'stream', data_type: 'file_chunk', ...part })
  }
  return {
    type: 'response',
    data_type: 'file_complete',
    total_chunks: index,
    total_bytes: bytes,
    message: 'Download completed',
  }
}

const STREAMING: readonly Action[] = [
  action('upload_file_stream', Upload, upload),
  action('download_file_stream', Download, async (params, { platform }, send) =>
    download(await platform.file(nameOf(params)), params.chunk_size, send),
  ),
  action('download_file_image_stream', Download, async (params, { platform }, send) => {
    const file = await platform.file(nameOf(params))
    checkImage(file)
    // The size of images is not known here.
    return download(file, params.chunk_size, send, { width: 0, height: 0 })
  }),
  action('download_file_record_stream', Download, async (params, { platform }, send) => {
    const file = await platform.file(nameOf(params))
    checkRecord(file, params.out_format)
    return download(file, params.chunk_size, send, { out_format: params.out_format ?? '' })
  }),
  action(
    'test_download_stream',
    Test,
    async ({ error = false }, _call, send) => {
      for (let n = 1; n <= TESTS; n++) {
        if (!(await send({ type: 'stream', data_type: 'data_chunk', data: `part ${n} of ${TESTS}` }))) break
        await setTimeout(PAUSE)
      }
      if (error) throw new PlatformError('LOAD_FILE_ERROR', 'This is a test error')
      return { type: 'response', data_type: 'data_complete', data: 'all parts' }
    },
    'constant',
  ),
]

export const STREAM_ACTIONS: readonly Action[] = [
  ...STREAMING.map((row) => ({ ...row, streams: true })),
  action('clean_stream_temp_file', Nothing, (_params, { spool, uploads }) => {
    uploads.clean()
    spool.clean()
    return null
  }),
]
