import { describe, expect, it } from 'vitest'
import { dispatch } from '../../../lib/onebot/dispatcher.ts'
import { decode } from '../../../lib/onebot/media/source.ts'
import { Hub } from '../../../lib/onebot/world/hub.ts'
import { field, listOf } from '../../support/gateway.ts'
import { callOn, FakePlatform, noParts } from '../../support/onebot-platform.ts'
import { Scene, text } from '../../support/onebot-scene.ts'
import { png } from '../../support/stored.ts'
import { Trap } from '../../support/trap.ts'
import { answerTo, longestWait, worked } from '../../support/waits.ts'

/** What is read takes some milliseconds for each megabyte; what is read again for each of its letters takes seconds. */
const SOON = 500
/** Milliseconds of work that others wait for at most while one says something. */
const PATIENCE = 1000

const base64 = (bytes: string | Buffer): string => `base64://${Buffer.from(bytes).toString('base64')}`
const node = (content: unknown) => ({ type: 'node', data: { content } })
const forward = (content: unknown) => ({ type: 'forward', data: { content } })
const many = (times: number, one: string): string => `[${Array.from({ length: times }, () => one).join()}]`

/** Nobody in front of the server waits for somebody's frame: they are looked at between two others. */
async function waitFor(scene: Scene, action: string, params: string, expected: RegExp): Promise<number> {
  const answer = answerTo(scene.robo, action, params)
  const wait = await longestWait(scene.mate, answer)
  expect(await answer).toMatch(expected)
  return wait
}

describe('text that is long is read once', () => {
  it('base64 with many signs of its end in the middle', () => {
    const begin = worked()
    expect(() => decode(`${'='.repeat(60_000)}A`, 100_000)).toThrow('is no base64')
    expect(worked() - begin).toBeLessThan(SOON)
  })

  it('a header with many spaces', async () => {
    const begin = worked()
    const params = { url: 'http://127.0.0.1/', headers: [`a=${' '.repeat(60_000)}x\r`] }
    await dispatch('download_file', params, callOn(new FakePlatform()), noParts)
    expect(worked() - begin).toBeLessThan(SOON)
  })

  it.each(['download_file', 'upload_file_stream'])('a name of millions of letters, for %s', async (action) => {
    const scene = await Scene.start('node')
    const name = 'x'.repeat(12_000_000)
    const params = JSON.stringify({ base64: 'Zm9n', name, stream_id: 's', total_chunks: 1, filename: name })
    expect(await waitFor(scene, action, params, /^(?:0|1400) /)).toBeLessThan(PATIENCE)
  })

  it('a text of millions of letters before many names', async () => {
    const scene = await Scene.start('node')
    const calls = Array.from({ length: 900 }, () => ({ type: 'at', data: { qq: '1' } }))
    const params = JSON.stringify({ group_id: scene.group, message: [text('x'.repeat(5_000_000)), ...calls] })
    expect(await waitFor(scene, 'send_group_msg', params, /^1200 SEND_MSG_API_ERROR/)).toBeLessThan(PATIENCE)
  })
})

describe('a bundle that is too long is not made first', () => {
  it('of a thousand times a thousand nodes', async () => {
    const scene = await Scene.start('node')
    const inner = many(900, '{"type":"node","data":{"content":"a"}}')
    const messages = many(900, `{"type":"node","data":{"content":${inner}}}`)
    const params = `{"group_id":${scene.group},"messages":${messages}}`
    const reading = await waitFor(scene, 'get_status', params, /^0 /)
    const wait = await waitFor(scene, 'send_group_forward_msg', params, /^(?:1400|1200) /)
    expect(wait).toBeLessThan(Math.max(PATIENCE, 3 * reading))
  })

  it('of thousands of nodes that name one long message', async () => {
    const scene = await Scene.start('node')
    const { group: group_id } = scene
    const message = [{ type: 'xml', data: { data: 'x'.repeat(130_000) } }]
    const id = field(await scene.robo.get('send_group_msg', { group_id, message }), 'message_id')
    const inner = many(1000, `{"type":"node","data":{"id":${String(id)}}}`)
    // Ten times as many are more than there is memory for.
    const messages = many(6, `{"type":"node","data":{"content":${inner}}}`)
    const params = `{"group_id":${group_id},"messages":${messages}}`
    expect(await waitFor(scene, 'send_group_forward_msg', params, /^(?:1400|1200) /)).toBeLessThan(PATIENCE)
  })

  it('of one long message very often, before any of it is made', async () => {
    const scene = await Scene.start('node')
    const settings = { strictFriends: false, base: () => '', quota: 1 }
    const bot = await new Hub(scene.bots.world).open({ handle: 'kettle', selfId: null, join: ['Harbour'] }, settings)
    let made = 0
    const data = { text: 'x'.repeat(100_000), toJSON: () => `${made++}` }
    const one = { userId: 1, nickname: 'x', time: 1, segments: [{ type: 'text', data }] }
    const nodes = Array.from({ length: 20 }, () => one)
    const [group] = bot.groups()
    expect(() => bot.sendForward({ group: group?.id ?? 0 }, nodes)).toThrow('SEND_MSG_API_ERROR')
    expect(made).toBe(0)
  })

  it('of more than three in each other, by whatever they are in each other', async () => {
    const scene = await Scene.start('node')
    const { group: group_id } = scene
    let deep: unknown[] = [text('fog')]
    for (let i = 0; i < 5; i++) deep = [forward([node(deep)])]
    expect(await scene.why('send_group_msg', { group_id, message: deep })).toMatch(/^1400 /)
    expect(await scene.why('send_group_forward_msg', { group_id, messages: [node(deep)] })).toMatch(/^1400 /)
    expect(await scene.page()).toEqual([])
  })
})

describe('what is fetched for a message', () => {
  it('is nothing where it has more files than a message may have', async () => {
    let served = 0
    const open = await Trap.start((_request, response) => response.end(png(String(served++))), '127.0.0.3')
    const scene = await Scene.start('node', { onebot: { media: { allow: ['127.0.0.3'] } } })
    const { group: group_id } = scene
    const image = { type: 'image', data: { file: `http://127.0.0.3:${open.port}/` } }
    const message = Array.from({ length: 150 }, () => image)
    expect(await scene.why('send_group_msg', { group_id, message })).toMatch(/^1[24]00 /)
    expect(await scene.why('send_group_forward_msg', { group_id, messages: [node(message)] })).toMatch(/^1[24]00 /)
    // A few may be asked for: not as many as somebody likes, of somebody else.
    expect(served).toBeLessThanOrEqual(10 + 100)
  })

  it.each(['0.0005', '1.0005', 0.3333333, 1e-9, '1e-320'])(
    'in %s seconds is fetched in time, or not',
    async (timeout) => {
      const scene = await Scene.start('node')
      const message = [{ type: 'image', data: { file: 'http://127.0.0.1/', timeout } }]
      const why = await scene.why('send_group_msg', { group_id: scene.group, message })
      expect(why).toBe('1200 DOWNLOAD_FILE_ERROR')
    },
  )
})

/** What no name has that anybody is told. */
const UNTOLD = /[/\\\p{Cc}\u202a-\u202e\u2066-\u2069]/u

describe('a name that others are told', () => {
  it.each(['image', 'record', 'video'])('of %s has no path, and nothing that is not seen', async (type) => {
    const scene = await Scene.start('node')
    const bytes = { image: png('cup'), record: 'RIFF\0\0\0\0WAVEfog', video: '\0\0\0\x18ftypisom' }[type] ?? ''
    const data = { file: base64(bytes), name: '../../etc/a\0\u202egpj.exe' }
    await scene.robo.get('send_group_msg', { group_id: scene.group, message: [{ type, data }] })
    const event = await scene.mate.event({ post_type: 'message' })
    const told = Object.entries(field(listOf(event['message'])[0], 'data') ?? {})
    for (const [key, value] of told)
      if (key !== 'url') expect([key, value]).not.toEqual([key, expect.stringMatching(UNTOLD)])
  })

  it('of a file or folder of a group is not read backwards', async () => {
    const scene = await Scene.start('node')
    const { group: group_id } = scene
    const sent = await scene.robo.get('upload_group_file', { group_id, file: 'base64://Zm9n', name: 'fog.txt' })
    const file_id = field(sent, 'file_id')
    for (const name of ['fog\u202etxt.exe', '\u2066fog\u2069']) {
      await scene.robo.call('rename_group_file', { group_id, file_id, new_name: name })
      await scene.robo.call('create_group_file_folder', { group_id, name })
    }
    const found = await scene.mate.get('get_group_root_files', { group_id })
    const names = [
      ...listOf(field(found, 'files')).map((file) => field(file, 'file_name')),
      ...listOf(field(found, 'folders')).map((folder) => field(folder, 'folder_name')),
    ]
    for (const name of names) expect(name).not.toMatch(UNTOLD)
  })
})
