import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../../../lib/onebot/actions/table.ts'
import { dispatch } from '../../../lib/onebot/dispatcher.ts'
import { toBlocks } from '../../../lib/onebot/media/addresses.ts'
import { countFiles } from '../../../lib/onebot/media/intake.ts'
import type { SourceOptions } from '../../../lib/onebot/media/source.ts'
import { ask } from '../../support/http.ts'
import { hush, LogLines } from '../../support/log-lines.ts'
import { FILE_TYPES, KeepingPlatform, LOOKUPS, type Place, PLACES } from '../../support/onebot-places.ts'
import { callOn, noParts, SOURCES } from '../../support/onebot-platform.ts'
import { Scene } from '../../support/onebot-scene.ts'
import { Bots } from '../../support/onebot.ts'
import { Receiver } from '../../support/receiver.ts'
import { engines } from '../../support/server.ts'
import { names, Trap } from '../../support/trap.ts'

/** Where nothing may be fetched from: this machine, its networks, and what tells a machine of a cloud its keys. */
const HOSTS = [
  '127.0.0.1',
  '127.1',
  '127.0.0.2',
  '2130706433',
  '0x7f.1',
  '0177.0.0.1',
  '0.0.0.0',
  'localhost',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '169.254.169.254',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '100.100.100.200',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '100.64.0.1',
  'loop.test',
  'both.test',
  'behind.test',
  'metadata.test',
  'mapped.test',
  'local.test',
  'none.test',
]

const NAMES = {
  'localhost': ['127.0.0.1'],
  'loop.test': ['127.0.0.1'],
  'both.test': [['127.0.0.1', '93.184.216.34']],
  'behind.test': [['93.184.216.34', '2606:2800:220:1::1', '::1']],
  'metadata.test': ['169.254.169.254'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'local.test': ['fd00::1'],
  'none.test': [[]],
}

/** An address of this machine that stands for one of the internet. */
const OPEN = '127.0.0.3'
const OPEN_ONLY = { allowed: toBlocks([OPEN]) }
const REFUSED = '1200 DOWNLOAD_FILE_ERROR: is at an address that onebot.media.allow does not name'

/** What comes of what a client says there, what is kept of it, and whether anything is said. */
async function attempt(place: Place, given: string, media: Partial<SourceOptions> = {}) {
  const platform = new KeepingPlatform()
  platform.said = place.said?.(given) ?? []
  const { resolve } = names(NAMES)
  const call = callOn(platform, { media: { ...SOURCES, timeout: 2000, resolve, ...media } })
  const run = async (action: string, params: object): Promise<string> => {
    const { retcode, message } = await dispatch(action, params, call, noParts)
    return `${retcode} ${message}`
  }
  const outcome = await run(place.action, place.params(given))
  // Behind whatever takes its time.
  await run('send_group_msg', { group_id: 40_001, message: 'over' })
  await run('send_private_msg', { user_id: 30_001, message: 'over' })
  return { outcome, kept: platform.kept, said: platform.done.length - 2 }
}

describe.each(PLACES)('%s', (name, place) => {
  const refused = { outcome: place.later === true ? '0 ' : REFUSED, said: 0 }

  /** Tries all of them; what came of each. */
  async function tryAll(urls: readonly string[], media: Partial<SourceOptions> = {}): Promise<unknown[]> {
    if (place.later === true) hush()
    const all: unknown[] = []
    for (const url of urls) {
      const { outcome, said } = await attempt(place, url, media)
      all.push([url, { outcome, said }])
    }
    return all
  }
  const allRefused = (urls: readonly string[]): unknown[] => urls.map((url) => [url, refused])

  it('is not at an address that is not of the internet, however that is written', async () => {
    const trap = await Trap.start()
    const urls = HOSTS.map((host) => `http://${host}:${trap.port}/latest/meta-data/`)
    urls.push(
      `http://user:pass@127.0.0.1:${trap.port}/`,
      `http://93.184.216.34@127.0.0.1:${trap.port}/`,
      `HTTP://LOCALHOST:${trap.port}`,
      `https://127.0.0.1:${trap.port}/`,
      `http://127.0.\t0.1:${trap.port}/\n`,
      `http:///127.0.0.1:${trap.port}/`,
      `http://\\127.0.0.1:${trap.port}/`,
      `http://127.0.0.1:${trap.port}\\@93.184.216.34/`,
      `http://127.0.0.1:${trap.port}#@93.184.216.34/`,
      `http://%31%32%37.0.0.1:${trap.port}/`,
      `http://①②⑦.0.0.1:${trap.port}/`,
    )
    expect(await tryAll(urls)).toEqual(allRefused(urls))
    expect(trap.connections).toEqual([])
  })

  it('is not where a redirect leads that may not be asked directly', async () => {
    const trap = await Trap.start()
    const places = HOSTS.map((host) => `http://${host}:${trap.port}/`)
    const open = await Trap.start((request, response) => {
      const [, way, n] = request.url?.split('/') ?? []
      const to = way === 'far' ? `/near/${n}` : (places[Number(n)] ?? '')
      response.writeHead(way === 'far' ? 307 : 302, { Location: to }).end('elsewhere')
    }, OPEN)
    const ways = HOSTS.map((_, n) => `${n % 5 === 0 ? 'far' : 'near'}/${n}`)
    const from = ways.map((way) => `http://${OPEN}:${open.port}/${way}`)
    expect(await tryAll(from, OPEN_ONLY)).toEqual(allRefused(from))
    expect(open.connections).toHaveLength(ways.length + ways.filter((way) => way.startsWith('far')).length)
    expect(trap.connections).toEqual([])
  })

  it('is not asked of a proxy, either', async () => {
    const trap = await Trap.start()
    const urls = HOSTS.map((host) => `http://${host}/`)
    expect(await tryAll(urls, { proxy: `http://127.0.0.1:${trap.port}` })).toEqual(allRefused(urls))
    expect(trap.connections).toEqual([])
  })

  it('is at the address that was looked at, whatever its name is by then', async () => {
    const trap = await Trap.start((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { Location: '/' }).end()
      else response.end('fog')
    }, '0.0.0.0')
    const changing = () => names({ 'files.test': [OPEN, '127.0.0.1'] })
    const first = changing()
    const fetched = await attempt(place, `http://files.test:${trap.port}/`, { ...OPEN_ONLY, resolve: first.resolve })
    expect(fetched.outcome).toBe('0 ')
    expect(first.asked).toEqual(['files.test'])
    expect(trap.connections).toEqual([OPEN])
    if (place.action !== 'download_file') expect(fetched.kept).toContain('fog')
    const second = changing()
    const media = { ...OPEN_ONLY, resolve: second.resolve }
    expect(await tryAll([`http://files.test:${trap.port}/moved`], media)).toMatchObject([[{}, refused]])
    expect(second.asked).toEqual(['files.test', 'files.test'])
    expect(trap.connections).toEqual([OPEN, OPEN])
  })

  it('is nothing but HTTP: no other scheme leads anywhere', async () => {
    const trap = await Trap.start()
    const at = `127.0.0.1:${trap.port}`
    const NOWHERE = 'FILE_NOT_FOUND'
    const DISK = 'OPEN_FILE_ERROR: is not there, or not in a folder of onebot.media.folders'
    const table = [
      [`ftp://${at}/`, NOWHERE],
      [`gopher://${at}/_GET`, NOWHERE],
      [`ws://${at}/`, NOWHERE],
      [`dict://${at}/info`, NOWHERE],
      [`jar:http://${at}/a.jar!/`, NOWHERE],
      [`http:${at}/`, NOWHERE],
      [`ht\ntp://${at}/`, NOWHERE],
      [` http://${at}/`, NOWHERE],
      [`\\\\${at}\\share`, NOWHERE],
      [at, NOWHERE],
      [`//${at}/`, DISK],
      [`file://${at}/`, DISK],
      ['file:///etc/hostname', DISK],
      ['file://localhost/etc/hostname', DISK],
      ['/proc/self/environ', DISK],
      ['C:\\Windows\\win.ini', DISK],
    ] as const
    for (const [given, why] of table) {
      if (place.later === true) hush()
      const { outcome, said } = await attempt(place, given)
      const expected = place.later === true ? '0 ' : `1200 ${why}`
      if (place.onlyUrls === true)
        expect([given, outcome]).toEqual([given, expect.stringMatching(/^1200 DOWNLOAD_FILE/)])
      // Bytes that are said, too, are what is left then.
      else if (name === 'a URL in front of bytes' && why === NOWHERE) expect([given, outcome]).toEqual([given, '0 '])
      else expect([given, outcome, said]).toEqual([given, expected, 0])
    }
    expect(trap.connections).toEqual([])
  })
})

describe('what only sounds like a place', () => {
  it.each(LOOKUPS)('%s looks %s up, and fetches nothing', async (action, param) => {
    const trap = await Trap.start()
    for (const given of [`http://127.0.0.1:${trap.port}/`, '/etc/hostname', '../../world.db', '..', '\0', '']) {
      const place = { action, params: () => ({ [param]: given }) }
      expect([given, (await attempt(place, '')).outcome]).toEqual([given, '1200 FILE_NOT_FOUND'])
    }
    expect(trap.connections).toEqual([])
  })

  it('in segments without a file is said as it is', async () => {
    const trap = await Trap.start()
    const url = `http://127.0.0.1:${trap.port}/`
    const data = { url, image: url, audio: url, voice: url, icon: url, cover: url, file: url, path: url, data: url }
    const types = ['text', 'face', 'share', 'music', 'location', 'contact', 'xml', 'json', 'markdown', 'mface', 'poke']
    for (const type of [...types, 'forward', 'hologram']) {
      const message = [{ type, data: { ...data, id: '1', text: 'a', content: url } }]
      const place = { action: 'send_group_msg', params: () => ({ group_id: 40_001, message }) }
      expect([type, await attempt(place, '')]).toMatchObject([type, { outcome: '0 ', kept: [] }])
    }
    const film = { type: 'video', data: { file: 'base64://Zm9n', cover: url, thumb: url, c: '2' } }
    const place = { action: 'send_group_msg', params: () => ({ group_id: 40_001, message: [film] }) }
    expect(await attempt(place, '')).toMatchObject({ outcome: '0 ', kept: ['fog'] })
    expect(trap.connections).toEqual([])
  })
})

describe('over a connection', () => {
  it.each(engines)('nothing of this machine is fetched, on %s', async (engine) => {
    const trap = await Trap.start()
    const scene = await Scene.start(engine)
    const { group: group_id } = scene
    const url = `http://localhost:${trap.port}/`
    const why = '1200 DOWNLOAD_FILE_ERROR'
    expect(await scene.why('send_group_msg', { group_id, message: `[CQ:image,file=${url}]` })).toBe(why)
    expect(await scene.why('upload_group_file', { group_id, file: url, name: 'a' })).toBe(why)
    expect(await scene.why('set_qq_avatar', { file: url })).toBe(why)
    expect(await scene.why('download_file', { url: `http://127.1:${scene.bots.port()}/health` })).toBe(why)
    const query = new URLSearchParams({ group_id: String(group_id), content: 'a', image: url })
    const { status, body } = await ask(scene.bots.port(), `/onebot/_send_group_notice?${query.toString()}`)
    expect([status, body.toString()]).toEqual([200, expect.stringContaining('DOWNLOAD_FILE_ERROR')])
    expect(trap.connections).toEqual([])
    expect(await scene.page()).toEqual([])
  })

  it('a redirect from where that is allowed leads nowhere else', async () => {
    const trap = await Trap.start()
    const open = await Trap.start((_request, response) => {
      response.writeHead(302, { Location: `http://127.0.0.2:${trap.port}/` }).end()
    }, OPEN)
    const scene = await Scene.start('node', { onebot: { media: { allow: [OPEN] } } })
    const { group: group_id } = scene
    const url = `http://${OPEN}:${open.port}/a.png`
    const messages = [{ type: 'node', data: { content: [{ type: 'image', data: { url } }] } }]
    expect(await scene.why('send_group_forward_msg', { group_id, messages })).toBe('1200 DOWNLOAD_FILE_ERROR')
    expect([open.connections, trap.connections]).toEqual([[OPEN], []])
  })

  it('an answer to a webhook has nothing fetched', async () => {
    const trap = await Trap.start()
    const receiver = await Receiver.start()
    const lines = new LogLines()
    const bots = await Bots.start('node', {
      network: { httpClients: [{ name: 'hook', enable: true, url: receiver.url }] },
    })
    const reply = [{ type: 'image', data: { file: `http://127.0.0.1:${trap.port}/` } }]
    receiver.answer = (response, { event }) =>
      void response.end(event['post_type'] === 'message' ? JSON.stringify({ reply }) : '')
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    expect(await lines.until(/quick operation/)).toContain('is at an address that onebot.media.allow does not name')
    expect(trap.connections).toEqual([])
  })
})

describe('the places that are known here', () => {
  /** Parameters whose names have such a word in them, and say no place. */
  const HARMLESS = [
    'upload_file',
    'file_count',
    'file_size',
    'filename',
    'file_retention',
    'disable_get_url',
    'profile',
  ]

  it('are all that actions have', () => {
    const tried = new Set(PLACES.map(([, { action }]) => action))
    const looked = new Set(LOOKUPS.map((pair) => pair.join()))
    const left = [...ACTIONS.values()].flatMap(({ name, takes }) =>
      takes
        .filter((param) => /file|url|image|img|path|avatar|icon|cover|link|src|uri/i.test(param))
        .filter((param) => !HARMLESS.includes(param) && !looked.has([name, param].join()) && !tried.has(name))
        .map((param) => `${name} ${param}`),
    )
    // Files of groups, by their ids: they are looked up in the group. What go-cqhttp reads, the config names here.
    expect(left).toEqual([
      'reload_event_filter file',
      'delete_group_file file_id',
      'get_group_file_url file_id',
      'move_group_file file_id',
      'rename_group_file file_id',
    ])
    const says = [...ACTIONS.values()].filter(({ takes }) =>
      takes.some((param) => ['message', 'messages', 'operation', 'content'].includes(param)),
    )
    expect(says.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual(['set_group_kick'])
  })

  it('are all types of segments that have files', () => {
    const types =
      'text face image record video file at reply rps dice shake poke anonymous share contact location music forward node xml json mface markdown miniapp redbag tts cardimage gift keyboard'
    const having = types.split(' ').filter((type) => countFiles([{ type, data: {} }]) > 0)
    expect(having.toSorted()).toEqual([...FILE_TYPES, 'tts'].toSorted())
  })
})
