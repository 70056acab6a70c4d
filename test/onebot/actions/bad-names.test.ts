import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALL_PERMISSIONS } from '../../../lib/chat/permissions.ts'
import { field, listOf } from '../../support/gateway.ts'
import { LOOKUPS } from '../../support/onebot-places.ts'
import { type BotClient, Bots } from '../../support/onebot.ts'
import { Scene } from '../../support/onebot-scene.ts'
import { filesIn, png } from '../../support/stored.ts'
import { Trap } from '../../support/trap.ts'
import { makeFolder } from '../../support/world.ts'

/** An address of this machine that stands for one of the internet. */
const OPEN = '127.0.0.3'
const FOG = 'base64://Zm9n'

/** What clients call files, what such a file is called for people, and what on the disk while it is there for its client. */
const NAMES: readonly (readonly [given: string, told: string, kept: string])[] = [
  ['fog.txt', 'fog.txt', 'fog.txt'],
  ['../../etc/passwd', 'passwd', 'passwd'],
  ['/etc/cron.d/fog', 'fog', 'fog'],
  ['..', 'file', 'file'],
  ['.', 'file', 'file'],
  ['...', 'file', 'file'],
  ['', 'file.bin', 'file'],
  ['/', 'file', 'file'],
  ['a/b', 'b', 'b'],
  ['a\\b', 'b', 'b'],
  ['a/..', 'file', 'file'],
  ['....//....//fog', 'fog', 'fog'],
  ['..\\..\\..\\fog', 'fog', 'fog'],
  ['C:\\Windows\\fog.ini', 'fog.ini', 'fog.ini'],
  ['\\\\host\\share\\fog', 'fog', 'fog'],
  ['~/.ssh/authorized_keys', 'authorized_keys', 'authorized_keys'],
  ['menus.zip/../fog', 'fog', 'fog'],
  ['a.zip/b.zip/c.zip', 'c.zip', 'c.zip'],
  ['fog.zip.zip.zip.zip', 'fog.zip.zip.zip.zip', 'fog.zip.zip.zip.zip'],
  ['fog\0.txt', 'fog.txt', 'fog.txt'],
  ['\0', 'file', 'file'],
  ['../\0', 'file', 'file'],
  ['.\0.', 'file', 'file'],
  ['fog\r\nSet-Cookie: a\x1b[31m\x7f\x85', 'fogSet-Cookie: a[31m', 'fogSet-Cookie: a[31m'],
  ['fog\u202egpj.exe', 'foggpj.exe', 'foggpj.exe'],
  ['\u2066fog\u2069\u202b', 'fog', 'fog'],
  ['con', 'con', 'con'],
  ['fog"; filename=a.html', 'fog"; filename=a.html', 'fog"; filename=a.html'],
  ['%2e%2e%2fworld.db', '%2e%2e%2fworld.db', '%2e%2e%2fworld.db'],
  ['$(id);`id`', '$(id);`id`', '$(id);`id`'],
  ['x'.repeat(10_000), 'x'.repeat(200), expect.stringMatching(/^x{150,200}$/)],
  [`${'长'.repeat(10_000)}.png`, '长'.repeat(200), expect.stringMatching(/^长{50,65}\.png$/)],
  ['🫖'.repeat(10_000), '🫖'.repeat(200), expect.stringMatching(/^(?:🫖){30,50}$/u)],
  [`a.${'x'.repeat(10_000)}`, `a.${'x'.repeat(198)}`, expect.stringMatching(/^a\.x{150,198}$/)],
  ['fog\ud800', 'file', expect.stringMatching(/^fog/)],
]

/** What no name has that anybody is told. */
const UNTOLD = /[/\\\p{Cc}\u202a-\u202e\u2066-\u2069]|^\.+$/u

/** All that there is below a data folder: names of the server's own, and one folder for each file of a client. */
const OURS =
  /^(?:world\.db(?:-wal|-shm)?|secrets\.json|lock(?:-journal)?|tmp|blobs(?:\/[\da-f]{2}(?:\/[\da-f]{64})?)?|onebot(?:\/20001(?:\/[\da-f]{24}(?:\/[^/]+)?)?)?)$/

/** A bot whose data folder lies in one that nothing else is in. */
async function start() {
  const around = makeFolder()
  const folder = join(around, 'a', 'b', 'data')
  const routes = ['robo', 'mate'].map(
    (bot) => ({ match: `/${bot}/`, handler: 'onebot', bot, onebot: { name: bot } }) as const,
  )
  const bots = await Bots.start('node', { folder, routes, onebot: { media: { allow: [OPEN] } } })
  await bots.bring('mate')
  await bots.empower('robo', ALL_PERMISSIONS)
  const [robo, mate] = [await bots.connect('/robo/'), await bots.connect('/mate/')]
  const here = readdirSync('.').toSorted()
  const expectInside = (): void => {
    const all = readdirSync(around, { recursive: true, withFileTypes: true })
    const paths = all.map(({ parentPath, name }) => relative(around, join(parentPath, name)))
    const outside = paths.filter((path) => !path.startsWith('a/b/data/') && !['a', 'a/b', 'a/b/data'].includes(path))
    const strange = paths.filter((path) => path.startsWith('a/b/data/') && !OURS.test(path.slice('a/b/data/'.length)))
    expect([outside, strange, readdirSync('.').toSorted()]).toEqual([[], [], here])
  }
  return { bots, folder, robo, mate, group_id: bots.group, expectInside }
}

/** What another bot is told of a file that comes next. */
async function nextName(mate: BotClient, send: () => Promise<unknown>): Promise<unknown> {
  const from = mate.frames.length
  await send()
  const event = await mate.event({ post_type: 'message' }, from)
  const segment = listOf(event['message'])[0]
  expect(field(segment, 'data', 'name')).toBe(field(segment, 'data', 'file'))
  return field(segment, 'data', 'name')
}

describe('the name of a file', () => {
  it('for a group is one that it may have, wherever it is told', async () => {
    const { bots, robo, mate, group_id, expectInside } = await start()
    for (const [name, told] of NAMES) {
      const from = mate.frames.length
      const by = () => robo.get('upload_group_file', { group_id, file: FOG, name })
      expect([name, await nextName(mate, by)]).toEqual([name, told])
      expect(await mate.event({ notice_type: 'group_upload' }, from)).toMatchObject({ file: { name: told } })
      const [file] = listOf(field(await mate.get('get_group_root_files', { group_id, file_count: 1 }), 'files'))
      expect(field(file, 'file_name')).toBe(told)
      const found = await mate.get('get_file', { file_id: field(file, 'file_id') })
      expect([field(found, 'file_name'), field(found, 'filename')]).toEqual([told, told])
      const reply = await fetch(String(field(found, 'url')))
      expect([reply.status, await reply.text()]).toEqual([200, 'fog'])
      expect(reply.headers.get('content-disposition')).toMatch(/^attachment; filename\*=UTF-8''[\w.%~!-]+$/)
      expect(told).not.toMatch(UNTOLD)
    }
    const page = await bots.gateway.request('GET', `/channels/${bots.channel}/messages`, bots.ada)
    const told = listOf(page.body).map((one) => field(one, 'files', 0, 'name'))
    expect(told).toEqual(NAMES.map(([, one]) => one).toReversed())
    expectInside()
  })

  it('for one, and in a segment, is such a one, too', async () => {
    const { bots, robo, mate, group_id, expectInside } = await start()
    const user_id = bots.numberOf(await bots.userOf('mate'))
    for (const [name, told] of NAMES) {
      const privately = () => robo.get('upload_private_file', { user_id, file: FOG, name })
      expect([name, await nextName(mate, privately)]).toEqual([name, told])
      const message = [{ type: 'file', data: { file: FOG, name } }]
      const inSegment = () => robo.get('send_group_msg', { group_id, message })
      expect([name, await nextName(mate, inSegment)]).toEqual([name, told])
    }
    expectInside()
  })

  it('that is there for a while is in a folder of its own, and is sent by its path', async () => {
    const { folder, robo, mate, group_id, expectInside } = await start()
    const paths = new Set<string>()
    for (const [n, [name, told, kept]] of NAMES.entries()) {
      const part = { stream_id: `s${n}`, total_chunks: 1, chunk_index: 0, chunk_data: 'Zm9n', filename: name }
      await robo.get('upload_file_stream', part)
      const uploaded = field(await robo.get('upload_file_stream', { stream_id: `s${n}` }), 'file_path')
      const downloaded = field(await robo.get('download_file', { base64: 'Zm9n', name }), 'file')
      for (const path of [String(uploaded), String(downloaded)]) {
        const [hex, last, ...more] = relative(join(folder, 'onebot', '20001'), path).split('/')
        expect([name, hex, last, more]).toEqual([name, expect.stringMatching(/^[\da-f]{24}$/), kept, []])
        expect(last).not.toMatch(UNTOLD)
        expect(readFileSync(path, 'utf8')).toBe('fog')
        paths.add(path)
        const by = () => robo.get('upload_group_file', { group_id, file: path })
        const again = await nextName(mate, by)
        expect(again).toBe(told.length < 200 && name !== '' ? told : last)
      }
    }
    expect(paths.size).toBe(NAMES.length * 2)
    expectInside()
    await robo.get('clean_stream_temp_file')
    expect(filesIn(folder, 'onebot')).toEqual([])
  })

  it('at a URL is one that it may have, whatever is written there', async () => {
    const { robo, mate, group_id, expectInside } = await start()
    const { port } = await Trap.start((_request, response) => response.end('fog'), OPEN)
    for (const [path, told] of [
      ['a/fog.txt?b/c', 'fog.txt'],
      ['..%2F..%2Fetc%2Fpasswd', 'passwd'],
      ['a%5C..%5Cfog', 'fog'],
      ['fog%00%0D%0A.txt', 'fog.txt'],
      ['%E2%80%AEgpj.exe', 'gpj.exe'],
      ['%2E%2E%00', 'file'],
      ['a%2F', 'file'],
      ['x'.repeat(5000), 'x'.repeat(200)],
    ] as const) {
      const file = `http://${OPEN}:${port}/${path}`
      expect([path, await nextName(mate, () => robo.get('upload_group_file', { group_id, file }))]).toEqual([
        path,
        told,
      ])
      const message = [{ type: 'file', data: { url: file } }]
      expect(await nextName(mate, () => robo.get('send_group_msg', { group_id, message }))).toBe(told)
      const kept = basename(String(field(await robo.get('download_file', { url: file }), 'file')))
      expect([path, path === 'a%2F' ? 'file' : kept.padEnd(told.length, 'x')]).toEqual([path, told])
      expect(kept).not.toMatch(UNTOLD)
    }
    expectInside()
  })
})

/** Names that nothing in a group may have. */
const REFUSED = NAMES.filter(([given, told]) => given !== told).map(([given]) => given)

describe('a name that is given later', () => {
  it('has no path, nothing that is not seen, and an end', async () => {
    const { robo, mate, group_id, expectInside } = await start()
    const sent = await robo.get('upload_group_file', { group_id, file: FOG, name: 'fog.txt' })
    const file_id = field(sent, 'file_id')
    const refused = REFUSED.filter((name) => !/[\u202a-\u202e\u2066-\u2069]/.test(name))
    expect(refused.length).toBeGreaterThan(25)
    for (const name of refused) {
      for (const [action, params] of [
        ['rename_group_file', { file_id, new_name: name }],
        ['create_group_file_folder', { name }],
        ['create_group_file_folder', { folder_name: name, parent_id: '../..' }],
      ] as const) {
        const { retcode, message } = await robo.call(action, { group_id, ...params })
        expect([action, name, retcode, message]).toEqual([
          action,
          name,
          1200,
          expect.stringMatching(/^FILE_SYSTEM_API_ERROR/),
        ])
      }
    }
    const found = await mate.get('get_group_root_files', { group_id })
    expect(listOf(field(found, 'files')).map((file) => field(file, 'file_name'))).toEqual(['fog.txt'])
    expect(field(found, 'folders')).toEqual([])
    expectInside()
  })
})

describe('what is looked for by a name', () => {
  it('is what was sent, and nothing on the disk', async () => {
    const scene = await Scene.start('node')
    const { group: group_id } = scene
    const { folder } = scene.bots.gateway
    const file = `base64://${png('cup').toString('base64')}`
    await scene.robo.get('send_group_msg', { group_id, message: [{ type: 'image', data: { file } }] })
    const [sha256 = ''] = filesIn(folder, 'blobs')
    const blob = join(folder, 'blobs', sha256.slice(0, 2), sha256)
    expect(readFileSync(blob)).toEqual(png('cup'))
    for (const name of [
      '../../x',
      '../world.db',
      '..',
      '.',
      '',
      'world.db',
      'secrets.json',
      basename(blob),
      blob,
      `file://${blob}`,
      `${sha256.slice(0, 2)}/${sha256}`,
      '/etc/passwd',
      'C:\\x',
      '%2e%2e%2fworld.db',
      '\0',
      '\ud800',
      '%',
      "' or 1=1 --",
      'x'.repeat(10_000),
    ]) {
      for (const [action, param] of LOOKUPS) {
        const { retcode, message } = await scene.robo.call(action, { [param]: name })
        expect([action, name, retcode, message]).toEqual([action, name, 1200, 'FILE_NOT_FOUND'])
      }
      const params = { group_id, file_id: name, folder_id: name, new_name: 'a', target_parent_directory: '' }
      for (const action of [
        'delete_group_file',
        'get_group_file_url',
        'move_group_file',
        'rename_group_file',
        'delete_group_folder',
      ]) {
        expect([action, name, await scene.why(action, params)]).toEqual([action, name, '1200 FILE_NOT_FOUND'])
      }
      if (name === '') continue
      expect(await scene.why('get_group_files_by_folder', params)).toBe('1200 FILE_NOT_FOUND')
      expect(await scene.why('upload_group_file', { ...params, file: FOG, name: 'a' })).toBe('1200 FILE_NOT_FOUND')
    }
    expect(filesIn(folder, 'blobs')).toEqual([sha256])
  })
})
