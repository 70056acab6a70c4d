import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { basename } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { upload } from '../../support/forms.ts'
import { field, listOf } from '../../support/gateway.ts'
import { notice, Scene } from '../../support/onebot-scene.ts'
import { filesIn } from '../../support/stored.ts'

const cleanups: (() => unknown)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void, host = '127.0.0.1') {
  const server = createServer(answer).listen(0, host)
  await once(server, 'listening')
  cleanups.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return `http://${host}:${typeof address === 'object' && address !== null ? address.port : 0}`
}

const start = (): Promise<Scene> => Scene.start('node', { onebot: { media: { allow: ['127.0.0.0/8'] } } })

describe('what is downloaded for a client', () => {
  it('onebot trap 39: is sent by the path that was told; another path is not', async () => {
    const scene = await start()
    const url = await serve((_request, response) => response.end('the menu'))
    const { group: group_id, boId: user_id } = scene
    const file = String(field(await scene.robo.get('download_file', { url: `${url}/a/menu%20of%20today.txt` }), 'file'))
    expect(basename(file)).toBe('menu of today.txt')
    expect(readFileSync(file, 'utf8')).toBe('the menu')
    await scene.robo.get('upload_group_file', { group_id, file, name: 'menu.txt' })
    await scene.robo.get('upload_private_file', { user_id, file: `file://${encodeURI(file)}`, name: 'menu.txt' })
    expect(await scene.mate.event({ notice_type: 'group_upload' })).toMatchObject({
      file: { name: 'menu.txt', size: 8 },
    })
    for (const wrong of ['file:///etc/passwd', '/etc/passwd', `${file}/../../../../world.db`, `${file}x`]) {
      expect(await scene.why('upload_group_file', { group_id, file: wrong, name: 'x' })).toBe('1200 OPEN_FILE_ERROR')
      expect(await scene.why('upload_private_file', { user_id, file: wrong, name: 'x' })).toBe('1200 OPEN_FILE_ERROR')
    }
  })

  it('is had by base64, under a name that says nothing of other places', async () => {
    const scene = await start()
    for (const [name, kept] of [
      ['menu.txt', 'menu.txt'],
      ['../../menu.txt', 'menu.txt'],
      ['..', 'file'],
      ['', 'file'],
    ] as const) {
      const file = String(field(await scene.robo.get('download_file', { base64: 'Zm9n', name }), 'file'))
      expect([basename(file), readFileSync(file, 'utf8')]).toEqual([kept, 'fog'])
    }
    expect(await scene.why('download_file', { base64: '%' })).toBe('1200 LOAD_FILE_ERROR')
    expect(await scene.why('download_file', {})).toBe('1400 url or base64: is needed')
    expect(filesIn(scene.bots.gateway.folder, 'onebot')).toHaveLength(4)
    await scene.bots.gateway.host.stop()
    expect(filesIn(scene.bots.gateway.folder, 'onebot')).toEqual([])
  })

  it.each([
    ['a list', ['X-Tea=green', 'Cookie=a=b', 'Host=evil', 'Content-Length=5']],
    ['lines', 'X-Tea=green\r\nCookie: a=b\r\nhost=evil'],
  ])('is asked for with headers that the client gives, as %s, but for those that say where', async (_name, headers) => {
    const scene = await start()
    const seen: IncomingMessage['headers'][] = []
    const url = await serve((request, response) => {
      seen.push(request.headers)
      response.end('tea')
    })
    await scene.robo.get('download_file', { url, headers })
    expect(seen[0]).toMatchObject({ 'x-tea': 'green', 'cookie': 'a=b', 'host': url.replace('http://', '') })
    expect(await scene.why('download_file', { url, headers: ['X=a\u0001'] })).toContain('1400 headers')
  })

  it('tells another host nothing of what the client says to the first', async () => {
    const scene = await start()
    const seen: unknown[] = []
    const other = await serve((request, response) => {
      seen.push(request.headers['x-secret'])
      response.end('tea')
    }, '127.0.0.2')
    let hops = 0
    const url = await serve((request, response) => {
      seen.push(request.headers['x-secret'])
      response.writeHead(302, { Location: hops++ === 0 ? '/again' : other }).end()
    })
    await scene.robo.get('download_file', { url, headers: ['X-Secret=s'] })
    expect(seen).toEqual(['s', 's', undefined])
  })

  it('is nothing that is not for it', async () => {
    const scene = await Scene.start('node')
    const url = await serve((_request, response) => response.end('secret'))
    expect(await scene.why('download_file', { url })).toBe('1200 DOWNLOAD_FILE_ERROR')
    expect(await scene.why('download_file', { url: 'file:///etc/passwd' })).toBe('1200 DOWNLOAD_FILE_ERROR')
    expect(filesIn(scene.bots.gateway.folder, 'onebot')).toEqual([])
  })
})

describe('a file for one alone', () => {
  it('is read by them, and they are told as go-cqhttp does', async () => {
    const scene = await Scene.start('node')
    const { robo, mate, mateId: user_id } = scene
    const file = 'base64://Zm9n'
    const sent = await robo.get('upload_private_file', { user_id, file, name: 'fog.txt' })
    const [own, told] = await scene.both()
    expect(own?.filter(({ notice_type }) => notice_type === 'offline_file')).toEqual([])
    const offline = told?.find(({ notice_type }) => notice_type === 'offline_file')
    const url = String(field(offline, 'file', 'url'))
    expect(offline).toEqual(notice('offline_file', { user_id: 20_001, file: { name: 'fog.txt', size: 3, url } }))
    expect(await (await fetch(url)).text()).toBe('fog')
    const [message] = told?.filter(({ post_type }) => post_type === 'message') ?? []
    const segment = listOf(message?.['message'])[0]
    expect(segment).toMatchObject({ type: 'file', data: { file: 'fog.txt', file_size: '3' } })
    const file_id = field(segment, 'data', 'file_id')
    expect(sent).toEqual({ file_id })
    const link = String(field(await mate.get('get_private_file_url', { file_id }), 'url'))
    expect(await (await fetch(link)).text()).toBe('fog')
    const found = await mate.get('get_file', { file_id })
    expect(found).toMatchObject({ file_name: 'fog.txt', file_size: '3' })
    expect(field(found, 'url')).toContain('/files/')
    expect(readFileSync(String(field(found, 'file')), 'utf8')).toBe('fog')
    expect(await scene.why('get_private_file_url', { file_id: 'none' })).toBe('1200 FILE_NOT_FOUND')
    expect(await scene.why('get_file', {})).toBe('1400 file or file_id: is needed')
    expect(await scene.why('upload_private_file', { user_id: 1, file, name: 'x' })).toBe('1200 USER_NOT_FOUND')
  })

  it('is there when it was said, not before', async () => {
    const scene = await Scene.start('node')
    const { bo, channel } = scene
    const file = await upload(scene.bots.gateway, bo, channel, 'the menu', 'menu.txt')
    const params = { file_id: file.id }
    expect(await scene.why('get_file', params)).toBe('1200 FILE_NOT_FOUND')
    expect(await scene.why('get_private_file_url', params)).toBe('1200 FILE_NOT_FOUND')
    const { id } = await scene.say(bo, 'here', { file_ids: [file.id] })
    expect(await scene.robo.get('get_file', params)).toMatchObject({ file_name: 'menu.txt' })
    await scene.http(bo, 'DELETE', `/messages/${id}`)
    expect(await scene.why('get_file', params)).toBe('1200 FILE_NOT_FOUND')
  })
})
