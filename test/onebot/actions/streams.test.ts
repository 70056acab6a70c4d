import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { OneBotFile } from '../../../include-types/onebot.ts'
import { ACTIONS } from '../../../lib/onebot/actions/table.ts'
import { field, listOf } from '../../support/gateway.ts'
import { ask } from '../../support/http.ts'
import type { BotClient, Response } from '../../support/onebot.ts'
import { callOn, FakePlatform } from '../../support/onebot-platform.ts'
import { Scene } from '../../support/onebot-scene.ts'
import { engines } from '../../support/server.ts'
import { filesIn, png } from '../../support/stored.ts'
import { makeFolder } from '../../support/world.ts'

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const bytesOf = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, n) => (n * 7) % 256))
const WAV = Buffer.from('RIFF\0\0\0\0WAVEfog', 'latin1')

/** A file in parts of so many bytes. */
const split = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size))

const STREAM = 'upload_file_stream'

describe('a file in parts', () => {
  /** Of a file of three parts. */
  function uploading(scene: Scene, more: object = {}) {
    const bytes = bytesOf(250)
    const parts = split(bytes, 100)
    const part = (n: number, extra: object = {}) => ({
      stream_id: 's',
      chunk_index: n,
      chunk_data: parts[n]?.toString('base64') ?? '',
      total_chunks: 3,
      file_size: bytes.length,
      expected_sha256: sha256(bytes),
      filename: 'menu.bin',
      ...more,
      ...extra,
    })
    const put = (n: number, client = scene.robo): Promise<Response> => client.call(STREAM, part(n))
    const complete = (client = scene.robo) => client.call(STREAM, { stream_id: 's', is_complete: true })
    return { bytes, part, put, complete }
  }

  it.each(engines)('is the same in long parts, of several clients at once, on %s', async (engine) => {
    const scene = await Scene.start(engine)
    const film = (seed: number): Buffer => Buffer.alloc(1_500_000, Buffer.from([seed, 0, 255, 7 * seed]))
    const films = [scene.robo, scene.self].map((client, n) => ({ client, stream_id: `film ${n}`, bytes: film(n + 1) }))
    const put = ({ client, stream_id, bytes }: (typeof films)[number]) =>
      // One with space in it, as some encoders write it.
      split(bytes, 600_000).map((part, chunk_index) => {
        const text = part.toString('base64')
        const chunk_data = chunk_index === 1 ? text.replaceAll(/.{76}/g, '$&\r\n') : text
        return client.get(STREAM, { stream_id, chunk_index, chunk_data, total_chunks: 3, filename: 'film.bin' })
      })
    await Promise.all(films.flatMap(put))
    for (const { client, stream_id, bytes } of films) {
      const { data } = await client.call(STREAM, { stream_id, is_complete: true, expected_sha256: sha256(bytes) })
      expect(data).toMatchObject({ sha256: sha256(bytes), file_size: bytes.length })
    }
    const wrong = { stream_id: 'x', chunk_index: 0, total_chunks: 1 }
    for (const chunk_data of ['%'.repeat(100_000), `${'Zm9n'.repeat(30_000)}Z`]) {
      expect(await scene.robo.call(STREAM, { ...wrong, chunk_data })).toMatchObject({ retcode: 1200 })
    }
    const other = await scene.robo.call(STREAM, { ...wrong, chunk_data: { a: 1 } })
    expect(other).toMatchObject({ retcode: 1400, message: 'chunk_data: must be text' })
  })

  it('is put together, and can be sent by its path', async () => {
    const scene = await Scene.start('node')
    const { bytes, put, complete } = uploading(scene)
    const first = await put(0)
    expect(first).toMatchObject({
      status: 'ok',
      stream: 'stream-action',
      data: { type: 'stream', stream_id: 's', status: 'chunk_received', received_chunks: 1, total_chunks: 3 },
    })
    await put(1)
    await put(2)
    const { data, stream } = await complete()
    expect(stream).toBe('stream-action')
    expect(data).toEqual({
      type: 'response',
      stream_id: 's',
      status: 'file_complete',
      received_chunks: 3,
      total_chunks: 3,
      file_path: field(data, 'file_path'),
      file_size: 250,
      sha256: sha256(bytes),
    })
    const path = String(field(data, 'file_path'))
    expect(basename(path)).toBe('menu.bin')
    expect(readFileSync(path)).toEqual(bytes)
    const { group: group_id } = scene
    await scene.robo.get('upload_group_file', { group_id, file: path, name: 'menu.bin' })
    expect(await scene.mate.event({ notice_type: 'group_upload' })).toMatchObject({
      file: { name: 'menu.bin', size: 250 },
    })
    await scene.robo.get('send_private_msg', { user_id: scene.boId, message: [{ type: 'file', data: { file: path } }] })
    // What others' clients upload is not for this one.
    expect(await scene.why('upload_group_file', { group_id, file: path }, scene.mate)).toBe('1200 OPEN_FILE_ERROR')
  })

  it('goes on over another connection where it was, and in any order', async () => {
    const scene = await Scene.start('node')
    const { bytes, put, complete } = uploading(scene)
    await put(2)
    scene.robo.ws.terminate()
    const again = await scene.bots.connect()
    expect(await again.get(STREAM, { stream_id: 's', verify_only: true })).toEqual({
      type: 'stream',
      stream_id: 's',
      status: 'file_created',
      received_chunks: 1,
      total_chunks: 3,
      missing_chunks: [0, 1],
    })
    expect(await complete(again)).toMatchObject({ retcode: 1200, message: 'LOAD_FILE_ERROR: missing chunks: 0, 1' })
    await put(1, again)
    // Once more: that changes nothing.
    expect(await put(1, again)).toMatchObject({ data: { received_chunks: 2 } })
    await put(0, again)
    expect(await put(0, again)).toMatchObject({ data: { received_chunks: 3 } })
    const { data } = await complete(again)
    expect(readFileSync(String(field(data, 'file_path')))).toEqual(bytes)
    // Nothing of its parts is left.
    expect(filesIn(scene.bots.gateway.folder, 'onebot')).toEqual(['menu.bin'])
  })

  it('is complete without being asked where all parts are there', async () => {
    const scene = await Scene.start('node')
    const { put } = uploading(scene)
    for (const n of [0, 1, 2]) await put(n)
    expect(await scene.robo.get(STREAM, { stream_id: 's' })).toMatchObject({ status: 'file_complete' })
    expect(await scene.robo.call(STREAM, { stream_id: 's', verify_only: true })).toMatchObject({ retcode: 1200 })
  })

  it.each([
    ['another hash', { expected_sha256: '00' }, 'LOAD_FILE_ERROR: SHA256 mismatch'],
    ['another size', { file_size: 251 }, 'LOAD_FILE_ERROR: file_size is 251'],
  ])('is of no use with %s, and gone', async (_name, more, why) => {
    const scene = await Scene.start('node')
    const { put, complete } = uploading(scene, more)
    for (const n of [0, 1, 2]) await put(n)
    const failed = await complete()
    expect(failed).toMatchObject({
      status: 'failed',
      retcode: 1200,
      data: { type: 'error', data_type: 'error' },
      stream: 'stream-action',
    })
    expect(failed.message).toContain(why)
    expect((await scene.robo.call(STREAM, { stream_id: 's', verify_only: true })).message).toContain('FILE_NOT_FOUND')
    expect(filesIn(scene.bots.gateway.folder, 'onebot')).toEqual([])
  })

  it('is given up where that is asked for, which NapCat’s clients know as an error', async () => {
    const scene = await Scene.start('node')
    const { put } = uploading(scene)
    await put(0)
    const reset = await scene.robo.call(STREAM, { stream_id: 's', reset: true })
    expect([reset.retcode, reset.message]).toEqual([1200, 'LOAD_FILE_ERROR: Stream reset completed'])
    expect(filesIn(scene.bots.gateway.folder, 'onebot')).toEqual([])
    await put(0)
    await put(1)
    await put(2)
    expect(await scene.robo.get(STREAM, { stream_id: 's' })).toMatchObject({ status: 'file_complete' })
    expect(await scene.robo.get('clean_stream_temp_file')).toBeNull()
    expect(filesIn(scene.bots.gateway.folder, 'onebot')).toEqual([])
  })

  it('is what it may be', async () => {
    const scene = await Scene.start('node', { onebot: { media: { maxFile: 200 } } })
    const { part } = uploading(scene)
    const why = async (params: object): Promise<string> => {
      const { retcode, message } = await scene.robo.call(STREAM, params)
      return `${retcode} ${message}`
    }
    expect(await why(part(0))).toBe('1200 LOAD_FILE_ERROR: a file is longer than 200 bytes')
    expect(await why({ stream_id: 't' })).toBe('1400 total_chunks: is needed for a new stream')
    expect(await why({ stream_id: '' })).toContain('1400 stream_id')
    expect(await why({ stream_id: 'x'.repeat(201), total_chunks: 1 })).toContain('1400 stream_id')
    expect(await why({ stream_id: 't', total_chunks: 0 })).toContain('1400 total_chunks')
    expect(await why({ stream_id: 't', total_chunks: 100_001 })).toContain('1400 total_chunks')
    const { file_size: _, ...unsized } = part(0)
    expect(await why(unsized)).toBe('0 ')
    expect(await why({ ...unsized, chunk_index: 3 })).toContain('1400 chunk_index')
    expect(await why({ ...unsized, chunk_index: -1 })).toContain('1400 chunk_index')
    expect(await why({ ...unsized, chunk_index: 1, chunk_data: '%%%' })).toBe('1200 LOAD_FILE_ERROR: is no base64')
    expect(await why(part(1))).toBe('0 ')
    expect(await why(part(2))).toBe('1200 LOAD_FILE_ERROR: a file is longer than 200 bytes')
    for (let n = 1; n < 100; n++) expect(await why({ stream_id: `s${n}`, total_chunks: 1 })).toBe('0 ')
    expect(await why({ stream_id: 'more', total_chunks: 1 })).toBe('1200 LIMIT_REACHED: 100 uploads are under way')
  })

  it.each([
    '../../../etc/passwd',
    '/etc/passwd',
    '..',
    '',
    '.',
    'a/../..',
    '..\\..\\x',
    'x\0y',
    '长'.repeat(300) + '.png',
  ])('called %j is in its own place', async (filename) => {
    const scene = await Scene.start('node')
    const one = { stream_id: 's', total_chunks: 1, filename, chunk_index: 0, chunk_data: 'Zm9n' }
    await scene.robo.get(STREAM, one)
    const path = String(field(await scene.robo.get(STREAM, { stream_id: 's' }), 'file_path'))
    expect(path.startsWith(`${scene.bots.gateway.folder}/onebot/`)).toBe(true)
    expect(path).not.toContain('..')
    expect(readFileSync(path, 'utf8')).toBe('fog')
  })
})

describe('a file that is read in parts', () => {
  /** All frames of an answer. */
  async function read(client: BotClient, action: string, params: object): Promise<unknown[]> {
    const from = client.frames.length
    client.send({ action, params, echo: 'stream' })
    await client.find((frame) => frame['echo'] === 'stream' && field(frame, 'data', 'type') !== 'stream', from)
    return client.frames.slice(from).filter((frame) => frame['echo'] === 'stream')
  }

  async function keep(scene: Scene, type: string, bytes: Buffer): Promise<string> {
    const file = `base64://${bytes.toString('base64')}`
    const message_id = field(
      await scene.robo.get('send_group_msg', { group_id: scene.group, message: [{ type, data: { file } }] }),
      'message_id',
    )
    const { message } = { message: field(await scene.robo.get('get_msg', { message_id }), 'message') }
    return String(field(listOf(message)[0], 'data', 'file_id'))
  }

  it.each(['node', 'uws'] as const)(
    'is told what it is, then part by part, then that this was all, on %s',
    async (engine) => {
      const scene = await Scene.start(engine)
      const bytes = png('cup', 250_000)
      const file_id = await keep(scene, 'image', bytes)
      const frames = await read(scene.robo, 'download_file_image_stream', { file_id, chunk_size: 100_000 })
      for (const frame of frames) expect(frame).toMatchObject({ status: 'ok', retcode: 0, stream: 'stream-action' })
      const [info, ...parts] = frames.map((frame) => field(frame, 'data'))
      const end = parts.pop()
      expect(info).toMatchObject({ type: 'stream', data_type: 'file_info', file_size: 250_000, chunk_size: 100_000 })
      expect(info).toMatchObject({ width: 0, height: 0 })
      expect(parts.map((part) => [field(part, 'index'), field(part, 'size'), field(part, 'progress')])).toEqual([
        [0, 100_000, 40],
        [1, 100_000, 80],
        [2, 50_000, 100],
      ])
      const whole = Buffer.concat(parts.map((part) => Buffer.from(String(field(part, 'data')), 'base64')))
      expect(whole.equals(bytes)).toBe(true)
      expect(end).toEqual({
        type: 'response',
        data_type: 'file_complete',
        total_chunks: 3,
        total_bytes: 250_000,
        message: 'Download completed',
      })
    },
  )

  it.each(['node', 'uws'] as const)(
    'comes in one answer of HTTP, in texts with a mark between them, on %s',
    async (engine) => {
      const scene = await Scene.start(engine)
      const file = await keep(scene, 'image', png('cup', 1000))
      const path = `/onebot/download_file_stream?file=${file}&chunk_size=400&echo=e`
      const { status, headers, body } = await ask(scene.bots.port(), path)
      expect([status, headers['content-type'], headers['content-length']]).toEqual([
        200,
        'application/json; charset=utf-8',
        undefined,
      ])
      const texts = body.toString().split('\r\n\r\n')
      const frames = texts.map((text): unknown => JSON.parse(text))
      expect(frames.map((frame) => [field(frame, 'echo'), field(frame, 'data', 'data_type')])).toEqual([
        ['e', 'file_info'],
        ['e', 'file_chunk'],
        ['e', 'file_chunk'],
        ['e', 'file_chunk'],
        ['e', 'file_complete'],
      ])
    },
  )

  it('is of the kind that is asked for, and one that it sees', async () => {
    const scene = await Scene.start('node')
    const [image, record] = [await keep(scene, 'image', png('cup')), await keep(scene, 'record', WAV)]
    const why = async (action: string, params: object): Promise<string> => {
      const frames = await read(scene.robo, action, params)
      const last = frames.at(-1)
      expect(field(last, 'data', 'type')).toBe(field(last, 'retcode') === 0 ? 'response' : 'error')
      return `${String(field(last, 'retcode'))} ${String(field(last, 'message')).split(':')[0]}`
    }
    expect(await why('download_file_stream', { file: record })).toBe('0 ')
    expect(await why('download_file_record_stream', { file_id: record, out_format: 'wav' })).toBe('0 ')
    expect(await why('download_file_record_stream', { file_id: record, out_format: 'mp3' })).toBe('1200 FILE_NOT_FOUND')
    expect(await why('download_file_record_stream', { file_id: image })).toBe('1200 FILE_NOT_FOUND')
    expect(await why('download_file_image_stream', { file_id: record })).toBe('1200 IMAGE_NOT_FOUND')
    expect(await why('download_file_stream', { file: '/etc/passwd' })).toBe('1200 FILE_NOT_FOUND')
    expect(await why('download_file_stream', {})).toBe('1400 file or file_id')
  })

  it('shows what streams are', async () => {
    const scene = await Scene.start('node')
    const frames = await read(scene.robo, 'test_download_stream', {})
    expect(frames.map((frame) => field(frame, 'data', 'data_type'))).toEqual([
      ...Array.from({ length: 10 }, () => 'data_chunk'),
      'data_complete',
    ])
    const failed = await read(scene.robo, 'test_download_stream', { error: true })
    expect(failed.at(-1)).toMatchObject({ retcode: 1200, data: { type: 'error', data_type: 'error' } })
  })

  it('is not read on for somebody who has gone', async () => {
    const path = join(makeFolder(), 'film')
    writeFileSync(path, bytesOf(10_000))
    class Films extends FakePlatform {
      override file(): OneBotFile {
        return { id: 'f', name: 'film', size: 10_000, kind: 'video', mime: 'video/mp4', path, url: '' }
      }
    }
    const sent: unknown[] = []
    const send = async (data: object): Promise<boolean> => sent.push(data) < 3
    const action = ACTIONS.get('download_file_stream')
    await action?.run({ file: 'f', chunk_size: 100 }, callOn(new Films()), send)
    expect(sent.map((data) => field(data, 'data_type'))).toEqual(['file_info', 'file_chunk', 'file_chunk'])
  })
})
