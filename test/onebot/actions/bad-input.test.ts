import { describe, expect, it } from 'vitest'
import { field, idOf, listOf } from '../../support/gateway.ts'
import { Scene, text } from '../../support/onebot-scene.ts'
import { engines } from '../../support/server.ts'
import { filesIn, png } from '../../support/stored.ts'
import { answerTo, longestWait } from '../../support/waits.ts'

const base64 = (bytes: string | Buffer): string => `base64://${Buffer.from(bytes).toString('base64')}`
const node = (content: unknown) => ({ type: 'node', data: { content } })

type Why = (scene: Scene, file: string) => Promise<string>

const inSegment =
  (type: string): Why =>
  (scene, file) =>
    scene.why('send_group_msg', { group_id: scene.group, message: [text('look'), { type, data: { file } }] })

/** Whatever takes a file that has to be something. */
const PICKY: Readonly<Record<string, Why>> = {
  'image': inSegment('image'),
  'cardimage': inSegment('cardimage'),
  'record': inSegment('record'),
  'video': inSegment('video'),
  'an image in a bundle': (scene, file) =>
    scene.why('send_group_forward_msg', {
      group_id: scene.group,
      messages: [node('look'), node([{ type: 'image', data: { file } }])],
    }),
  '_send_group_notice': (scene, image) =>
    scene.why('_send_group_notice', { group_id: scene.group, content: 'look', image }),
  'set_qq_avatar': (scene, file) => scene.why('set_qq_avatar', { file }),
  'set_group_portrait': (scene, file) => scene.why('set_group_portrait', { group_id: scene.group, file }),
}

/** And whatever takes any. */
const TAKERS: Readonly<Record<string, Why>> = {
  ...PICKY,
  'file': inSegment('file'),
  'a message to one': (scene, file) =>
    scene.why('send_private_msg', { user_id: scene.boId, message: [{ type: 'image', data: { file } }] }),
  'upload_group_file': (scene, file) => scene.why('upload_group_file', { group_id: scene.group, file, name: 'a' }),
  'upload_private_file': (scene, file) => scene.why('upload_private_file', { user_id: scene.boId, file, name: 'a' }),
  'download_file': (scene, file) => scene.why('download_file', { base64: file }),
  'upload_file_stream': async (scene, file) => {
    const part = { stream_id: 's', total_chunks: 1, chunk_index: 0, chunk_data: file }
    const { retcode, message } = await scene.robo.call('upload_file_stream', part)
    expect(await scene.why('clean_stream_temp_file', {})).toBe('ok')
    return `${retcode} ${message.split(':')[0]}`
  },
}

/** Nothing of it is there: no message, no file, no friend. */
async function expectNothing(scene: Scene): Promise<void> {
  expect(await scene.page()).toEqual([])
  for (const folder of ['blobs', 'tmp', 'onebot']) expect(filesIn(scene.bots.gateway.folder, folder)).toEqual([])
  expect(await scene.robo.get('_get_group_notice', { group_id: scene.group })).toEqual([])
  const { friends, users } = scene.bots.world
  const robo = await scene.bots.userOf('robo')
  expect([friends.are(robo, scene.bo.id), users.find(robo)?.avatar_file]).toEqual([false, null])
  expect(await scene.told(scene.mate)).toEqual([])
}

describe('bytes that are none', () => {
  it('are refused by all that takes files, and leave nothing behind', async () => {
    const scene = await Scene.start('node')
    for (const file of [
      'base64://%%%',
      'base64://Z',
      'base64://Zm9nZ',
      'base64://',
      'base64://=',
      'base64:// \r\n\t',
      'base64://Zm9n.',
      'base64://Zm=9n',
      'base64://Zm9n,Zm9n',
      'base64://\0',
      'BASE64://*',
      'data:',
      'data:,',
      'data:image/png,fog',
      'data:image/png;base64',
      'data:image/png;base64,',
      'data:image/png;base64,%%%',
      'data:image/png;base64=,Zm9n',
      'data:image/png;base64;x,Zm9n',
    ]) {
      for (const [name, why] of Object.entries(TAKERS)) {
        expect([name, file, await why(scene, file)]).toEqual([name, file, '1200 LOAD_FILE_ERROR'])
      }
    }
    await expectNothing(scene)
  })
})

const HTML = '<!doctype html><script>alert(1)</script>'

describe('bytes of something else', () => {
  it('are refused where they have to be something, whatever they are called', async () => {
    const scene = await Scene.start('node')
    const others: Readonly<Record<string, string | Buffer>> = {
      'a text': 'fog',
      'a page': HTML,
      'a page behind a mark of its order': `\ufeff${HTML}`,
      'a drawing with a script': '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
      'half a PNG': png('cup').subarray(0, 7),
      'a PNG in text mode': Buffer.from('\x89PNG\n\x1a\n', 'latin1'),
      'a PNG behind a space': Buffer.concat([Buffer.from(' '), png('cup')]),
      'half a GIF': 'GIF8',
      'an archive': 'PK\x03\x04',
      'a program': '\x7fELF',
      'a document': '%PDF-1.7',
      'a container of nothing': 'RIFF\0\0\0\0AVI ',
    }
    for (const [what, bytes] of Object.entries(others)) {
      const data = `data:image/png;name=a.png;base64,${Buffer.from(bytes).toString('base64')}`
      for (const [name, why] of Object.entries(PICKY)) {
        const outcome = [await why(scene, base64(bytes)), await why(scene, data)]
        expect([name, what, ...outcome]).toEqual([name, what, '1200 LOAD_FILE_ERROR', '1200 LOAD_FILE_ERROR'])
      }
    }
    await expectNothing(scene)
  })

  it('are a file, and no page of this server, however that is called', async () => {
    const scene = await Scene.start('node')
    const garbage = Buffer.concat([png('cup'), Buffer.from(HTML)])
    const message = [
      { type: 'file', data: { file: base64(HTML), name: 'a.png' } },
      { type: 'file', data: { file: base64(HTML), name: 'a.html' } },
      { type: 'image', data: { file: base64(garbage), name: 'a.html' } },
    ]
    await scene.robo.get('send_group_msg', { group_id: scene.group, message })
    const [seen] = await scene.page()
    const served: unknown[] = []
    for (const file of listOf(field(seen, 'files'))) {
      const url = new URL(String(field(file, 'url')), `http://127.0.0.1:${scene.bots.port()}`)
      const { status, headers } = await fetch(url)
      expect(headers.get('content-disposition')).toMatch(/^attachment;/)
      expect(headers.get('content-security-policy')).toContain('sandbox')
      served.push([status, headers.get('content-type'), headers.get('x-content-type-options')])
    }
    const any = [200, 'application/octet-stream', 'nosniff']
    expect(served).toEqual([any, any, [200, 'image/png', 'nosniff']])
  })
})

describe.each(engines)('bundles, on %s', (engine) => {
  it('of a million nodes are refused, and nobody waits for that', async () => {
    const scene = await Scene.start(engine)
    const many = `[${Array.from({ length: 1_000_000 }, () => '{"type":"node","data":{}}').join()}]`
    const waitWhile = async (action: string, key: string, expected: string): Promise<number> => {
      const answer = answerTo(scene.robo, action, `{"group_id":${scene.group},"${key}":${many}}`)
      const wait = await longestWait(scene.mate, answer)
      expect(await answer).toBe(expected)
      return wait
    }
    // What takes nodes that it does not look at: how long it takes to read so much here.
    const read = () => waitWhile('get_status', 'messages', '0 ')
    // The first has to grow the heap, too.
    const reading = Math.min(await read(), await read())
    for (const [action, key] of [
      ['send_group_forward_msg', 'messages'],
      ['send_msg', 'message'],
    ] as const) {
      const refused = '1400 message: 1000 segments at most'
      expect(await waitWhile(action, key, refused)).toBeLessThan(Math.max(1000, 3 * reading))
    }
    expect(await scene.why('get_status', {})).toBe('ok')
    await expectNothing(scene)
  })

  it('in each other more than three times are refused, however deep', async () => {
    const scene = await Scene.start(engine)
    const deep = (times: number, inner = '"fog"') =>
      `${'[{"type":"node","data":{"content":'.repeat(times)}${inner}${'}}]'.repeat(times)}`
    const bundle = (times: number, inner?: string) =>
      answerTo(scene.robo, 'send_group_forward_msg', `{"group_id":${scene.group},"messages":${deep(times, inner)}}`)
    const refused = '1400 messages: 3 bundles in each other at most'
    for (const times of [4, 5, 100, 10_000]) expect([times, await bundle(times)]).toEqual([times, refused])
    // Also where it is all empty, or not to be had.
    expect(await bundle(4, '[]')).toBe(refused)
    expect(await bundle(4, '[{"type":"image","data":{"file":"http://127.0.0.1/"}}]')).toBe(refused)
    const message = `{"group_id":${scene.group},"message":${deep(10_000)}}`
    expect(await answerTo(scene.robo, 'send_group_msg', message)).toBe(refused)
    expect(await answerTo(scene.robo, 'send_msg_async', message)).toBe(refused)
    await expectNothing(scene)
    expect(await bundle(3)).toBe('0 ')
  })

  it('that are deep in other ways end nothing', async () => {
    const scene = await Scene.start(engine)
    const [begin, end] = ['[{"type":"forward","data":{"content":[{"type":"node","data":{"content":', '}}]}}]']
    const forward = `${begin.repeat(10_000)}[]${end.repeat(10_000)}`
    const list = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const { group } = scene
    for (const params of [
      `{"group_id":${group},"message":${forward}}`,
      `{"group_id":${group},"message":${list}}`,
      `{"group_id":${group},"message":[{"type":"json","data":{"data":${list}}}]}`,
      `{"group_id":${list},"message":"a"}`,
      list,
    ]) {
      expect(await answerTo(scene.robo, 'send_group_msg', params)).toMatch(/^1400 /)
    }
    expect(await answerTo(scene.robo, 'download_file', `{"url":"http://127.0.0.1/","headers":${list}}`)).toMatch(
      /^1200 /,
    )
    expect(await answerTo(scene.robo, '.handle_quick_operation', `{"context":${list},"operation":{}}`)).toMatch(
      /^1400 /,
    )
    expect(await scene.why('get_status', {})).toBe('ok')
    await expectNothing(scene)
  })
})

describe('bundles that have themselves in them', () => {
  it('are not there when they are read, and are left out', async () => {
    const scene = await Scene.start('node')
    const { group: group_id } = scene
    const { num } = await scene.say(scene.ada, 'see')
    // Those that come next have these numbers.
    const messages = [1, 2, 3].map((more) => ({ type: 'node', data: { id: num + more } }))
    expect(await scene.why('send_group_forward_msg', { group_id, messages })).toBe('1200 EMPTY_NODES')
    const sent = await scene.robo.get('send_group_forward_msg', { group_id, messages: [...messages, node('fog')] })
    expect(field(sent, 'message_id')).toBe(num + 1)
    const found = await scene.mate.get('get_forward_msg', { message_id: String(num + 1) })
    expect(listOf(field(found, 'messages')).map((one) => field(one, 'raw_message'))).toEqual(['fog'])
  })

  it('of which each has the one before it in it, twice, are as long as one', async () => {
    const scene = await Scene.start('node', { onebot: { parseMultMsg: true } })
    const { group: group_id } = scene
    let id: unknown = idOf(await scene.say(scene.ada, 'fog').then(({ num }) => ({ id: String(num) })))
    for (let i = 0; i < 40; i++) {
      const messages = [{ type: 'node', data: { id } }, node([{ type: 'node', data: { id } }])]
      id = field(await scene.robo.get('send_group_forward_msg', { group_id, messages }), 'message_id')
    }
    const page = await scene.mate.get('get_group_msg_history', { group_id, count: 200 })
    expect(listOf(field(page, 'messages'))).toHaveLength(41)
    expect(JSON.stringify(page).length).toBeLessThan(200_000)
    expect(await scene.told(scene.mate)).toHaveLength(41)
  })
})
