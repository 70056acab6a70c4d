import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { upload } from '../../support/forms.ts'
import { field, idOf, listOf } from '../../support/gateway.ts'
import { deferred } from '../../support/memory.ts'
import { type BotClient } from '../../support/onebot.ts'
import { Scene, type SceneOptions, text } from '../../support/onebot-scene.ts'
import { filesIn, png } from '../../support/stored.ts'
import { makeFolder } from '../../support/world.ts'

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

const CUP = png('cup')
const base64 = (bytes: Buffer): string => `base64://${bytes.toString('base64')}`
const image = (file: string, more: object = {}) => ({ type: 'image', data: { file, ...more } })
const WAV = Buffer.from('RIFF\0\0\0\0WAVEfog', 'latin1')
const MP4 = Buffer.from('\0\0\0\x18ftypisom', 'latin1')

const start = (media: NonNullable<SceneOptions['onebot']>['media'] = {}): Promise<Scene> =>
  Scene.start('node', { onebot: { media } })

const send = (scene: Scene, message: unknown, more: object = {}): Promise<unknown> =>
  scene.robo.get('send_group_msg', { group_id: scene.group, message, ...more })
const why = (scene: Scene, message: unknown): Promise<string> =>
  scene.why('send_group_msg', { group_id: scene.group, message })

/** The bytes that a link leads to. */
async function follow(scene: Scene, link: unknown): Promise<Buffer> {
  const reply = await fetch(new URL(String(link), `http://127.0.0.1:${scene.bots.port()}`))
  expect(reply.status).toBe(200)
  return Buffer.from(await reply.arrayBuffer())
}

const told = (client: BotClient) => client.event({ post_type: 'message' })

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

describe('a file that a bot sends', () => {
  it.each(['base64', 'data', 'path', 'file', 'url', 'CQ'] as const)(
    'is seen by people, and read by other bots, sent by %s',
    async (how) => {
      const folder = makeFolder()
      mkdirSync(join(folder, 'media'))
      const path = join(folder, 'media', 'cup of tea.png')
      writeFileSync(path, CUP)
      const origin = await serve((_request, response) => response.end(CUP))
      const scene = await start({ folders: [join(folder, 'media')], allow: ['127.0.0.1'] })
      const url = `${origin}/cup%20of%20tea.png`
      const [message, name] = (
        {
          base64: [[text('look'), image(base64(CUP))], 'image.png'],
          data: [[text('look'), image(`data:image/png;base64,${CUP.toString('base64')}`)], 'image.png'],
          path: [[text('look'), image(path)], 'cup of tea.png'],
          file: [[text('look'), image(`file://${path.replaceAll(' ', '%20')}`)], 'cup of tea.png'],
          url: [[text('look'), image(url)], 'cup of tea.png'],
          CQ: [`look[CQ:image,file=${url},cache=0]`, 'cup of tea.png'],
        } as const
      )[how]
      await send(scene, message)
      const seen = await scene.eyes.next('MESSAGE_CREATE')
      expect(seen).toMatchObject({ content: 'look', files: [{ kind: 'image', content_type: 'image/png', name }] })
      expect(await follow(scene, field(seen, 'files', 0, 'url'))).toEqual(CUP)
      const event = await told(scene.mate)
      const id = String(field(seen, 'files', 0, 'id'))
      const link = field(event, 'message', 1, 'data', 'url')
      expect(event).toMatchObject({
        message: [text('look'), { type: 'image', data: { file: id, file_id: id, file_size: '40', url: link } }],
      })
      // How the bot has got it is nobody's business.
      expect(JSON.stringify(event)).not.toMatch(/base64|media|cup|cache/)
      expect(await follow(scene, link)).toEqual(CUP)
      expect(await scene.mate.get('get_image', { file: id })).toMatchObject({ file_name: name, file_size: '40' })
    },
  )

  it('needs no text, goes with its message, and is there after a restart', async () => {
    const scene = await start()
    const sent = await send(scene, [image(base64(CUP))])
    const [seen] = await scene.page()
    expect(seen).toMatchObject({ content: '', files: [{ kind: 'image' }] })
    const url = field(seen, 'files', 0, 'url')
    expect(await follow(scene, url)).toEqual(CUP)
    await scene.robo.get('delete_msg', { message_id: field(sent, 'message_id') })
    expect((await fetch(new URL(String(url), `http://127.0.0.1:${scene.bots.port()}`))).status).toBe(404)
    await scene.bots.world.files.sweep()
  })

  it('is what it says: images, records, films, or anything', async () => {
    const scene = await start()
    const of = (type: string, bytes: Buffer, more: object = {}) => ({ type, data: { file: base64(bytes), ...more } })
    await send(scene, [
      of('cardimage', CUP),
      of('record', WAV),
      of('record', MP4),
      of('video', MP4),
      of('file', CUP, { name: '../../cup.png' }),
    ])
    const [seen] = await scene.page()
    expect(listOf(field(seen, 'files')).map((file) => [field(file, 'kind'), field(file, 'name')])).toEqual([
      ['image', 'image.png'],
      ['record', 'record.wav'],
      ['record', 'record.mp4'],
      ['video', 'video.mp4'],
      ['file', 'cup.png'],
    ])
    const types = listOf(field(await told(scene.mate), 'message')).map((one) => field(one, 'type'))
    expect(types).toEqual(['image', 'record', 'record', 'video', 'file'])
    // Files are found in the channel from then on; what is shown is none.
    const { files } = scene.bots.world.groupFiles.list(scene.ada.id, scene.channel, '', 9)
    expect(files.map(({ name }) => name)).toEqual(['cup.png'])
    for (const [type, bytes] of [
      ['image', WAV],
      ['image', Buffer.from('<html>')],
      ['record', CUP],
      ['video', CUP],
      ['video', WAV],
    ] as const) {
      expect(await why(scene, [of(type, bytes)])).toBe('1200 LOAD_FILE_ERROR')
    }
  })

  it('is sent whole, or nothing is', async () => {
    const scene = await start({ maxFile: 100 })
    const before = await scene.page()
    for (const [file, reason] of [
      ['base64://!', 'LOAD_FILE_ERROR'],
      ['base64://', 'LOAD_FILE_ERROR'],
      [base64(Buffer.alloc(101)), 'LOAD_FILE_ERROR'],
      ['nothing.png', 'FILE_NOT_FOUND'],
      ['', 'FILE_NOT_FOUND'],
      ['file:///etc/passwd', 'OPEN_FILE_ERROR'],
      ['/etc/passwd', 'OPEN_FILE_ERROR'],
      [`http://127.0.0.1:${scene.bots.port()}/health`, 'DOWNLOAD_FILE_ERROR'],
      ['http://localhost/', 'DOWNLOAD_FILE_ERROR'],
      ['http://169.254.169.254/latest/meta-data/', 'DOWNLOAD_FILE_ERROR'],
      ['http://[::1]/', 'DOWNLOAD_FILE_ERROR'],
    ] as const) {
      const failed = await why(scene, [text('look'), image(base64(CUP)), image(file)])
      expect([file, failed]).toEqual([file, `1200 ${reason}`])
    }
    expect(await scene.page()).toEqual(before)
    // What was kept for it goes when nobody needs it.
    expect(filesIn(scene.bots.gateway.folder, 'blobs')).toHaveLength(1)
  })

  it('is taken from a message that has it, as its segment came', async () => {
    const scene = await start()
    const file = await upload(scene.bots.gateway, scene.bo, scene.channel, CUP, 'cup.png')
    await scene.say(scene.bo, 'look', { file_ids: [file.id] })
    const [, segment] = listOf(field(await told(scene.robo), 'message'))
    await send(scene, [segment])
    const [seen] = await scene.page()
    expect(seen).toMatchObject({ content: '', files: [{ kind: 'image', name: 'cup.png', size: 40 }] })
    expect(field(seen, 'files', 0, 'id')).not.toBe(file.id)
    expect(await follow(scene, field(seen, 'files', 0, 'url'))).toEqual(CUP)
    // And by its name alone; not where the bot may not see it.
    await send(scene, [image(file.id)])
    const direct = idOf(await scene.http(scene.bo, 'POST', '/dm-channels', { user_id: scene.ada.id }))
    const other = await upload(scene.bots.gateway, scene.bo, direct, CUP, 'cup.png')
    expect(await why(scene, [image(other.id)])).toBe('1200 FILE_NOT_FOUND')
  })

  it('is in a bundle, too, however deep, and goes with the message that has that', async () => {
    const scene = await start()
    const node = (...content: unknown[]) => ({ type: 'node', data: { nickname: 'mira', user_id: '1', content } })
    const [one, two] = [png('one'), png('two')]
    const messages = [node(text('look'), image(base64(one))), node(node(image(base64(two)))), node(text('so'))]
    const sent = await scene.robo.get('send_group_forward_msg', { group_id: scene.group, messages })
    const [seen] = await scene.page()
    const files = listOf(field(seen, 'files'))
    expect([field(seen, 'content'), files.length]).toEqual(['[forwarded messages]', 2])
    const found = await scene.mate.get('get_forward_msg', { id: field(sent, 'forward_id') })
    const links = [
      field(found, 'messages', 0, 'content', 1, 'data', 'url'),
      field(found, 'messages', 1, 'content', 0, 'data', 'content', 0, 'content', 0, 'data', 'url'),
    ]
    expect(await Promise.all(links.map((link) => follow(scene, link)))).toEqual([one, two])
    await scene.bots.world.files.sweep()
    await scene.robo.get('delete_msg', { message_id: field(sent, 'message_id') })
    const after = await scene.mate.get('get_forward_msg', { id: field(sent, 'forward_id') })
    expect(field(after, 'messages', 0, 'content', 1, 'data', 'url')).toBeUndefined()
    const broken = [node(text('look')), node(image('base64://!'))]
    const bundle = { group_id: scene.group, messages: broken }
    expect(await scene.why('send_group_forward_msg', bundle)).toBe('1200 LOAD_FILE_ERROR')
    expect(await scene.page()).toEqual([])
  })

  it('goes to one person, too, and makes no friend where it fails', async () => {
    const scene = await start()
    const { directs, friends } = scene.bots.world
    const robo = await scene.bots.userOf('robo')
    const to = { user_id: scene.boId }
    expect(await scene.why('send_private_msg', { ...to, message: [image('base64://!')] })).toBe('1200 LOAD_FILE_ERROR')
    expect([directs.between(robo, scene.bo.id), friends.are(robo, scene.bo.id)]).toEqual([null, false])
    await scene.robo.get('send_private_msg', { ...to, message: [image(base64(CUP))] })
    const seen = await scene.eyes.next('DM_MESSAGE_CREATE')
    expect(seen).toMatchObject({ files: [{ kind: 'image' }] })
    expect(await follow(scene, field(seen, 'files', 0, 'url'))).toEqual(CUP)
  })

  it('is one of ten at most in a message, and of all that a bot may have sent', async () => {
    const scene = await start({ quota: 1000 })
    const many = (n: number) => Array.from({ length: n }, (_, i) => image(base64(png(`${i}`))))
    expect(await why(scene, many(11))).toBe('1200 SEND_MSG_API_ERROR')
    await send(scene, many(10))
    expect(await why(scene, many(5))).toBe('1200 LIMIT_REACHED')
    expect(await scene.page()).toHaveLength(1)
  })
})

describe('what is said behind a file that takes its time', () => {
  it('stays behind it in its chat, and does not wait in others', async () => {
    const gate = deferred()
    const origin = await serve((_request, response) => void gate.promise.then(() => response.end(CUP)))
    const scene = await start({ allow: ['127.0.0.1'] })
    const quay = await scene.makeChannel('quay')
    const first = send(scene, [text('one'), image(`${origin}/a.png`)])
    const second = send(scene, 'two')
    const third = send(scene, 'three')
    await scene.robo.get('send_group_msg', { group_id: quay.group, message: 'elsewhere' })
    expect(await scene.contents(quay.id)).toEqual(['elsewhere'])
    expect(await scene.contents()).toEqual([])
    gate.resolve()
    await Promise.all([first, second, third])
    expect(await scene.contents()).toEqual(['three', 'two', 'one'])
  })

  it('is said also where the file is not to be had', async () => {
    const gate = deferred()
    const origin = await serve((_request, response) => void gate.promise.then(() => response.writeHead(404).end()))
    const scene = await start({ allow: ['127.0.0.1'] })
    const first = why(scene, [image(`${origin}/a.png`)])
    const second = send(scene, 'two')
    gate.resolve()
    expect(await first).toBe('1200 DOWNLOAD_FILE_ERROR')
    await second
    expect(await scene.contents()).toEqual(['two'])
  })

  it('waits no longer than a file may take', async () => {
    const origin = await serve(() => {})
    const scene = await start({ allow: ['127.0.0.1'], timeout: 100 })
    expect(await why(scene, [image(`${origin}/a.png`)])).toBe('1200 DOWNLOAD_FILE_ERROR')
    const own = await start({ allow: ['127.0.0.1'] })
    expect(await why(own, [image(`${origin}/a.png`, { timeout: '0.1' })])).toBe('1200 DOWNLOAD_FILE_ERROR')
  })
})
