import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import JSON5 from 'json5'
import { webAllocHost, webFreeHost, webGetError, webGetPort, webStartHost } from '../../lib/index.ts' // Outside of this repository: 'fiberws'
import { listen, request, textOf } from '../gateway/together.ts'
import { carry } from './courier.ts'
import { keep } from './keeper.ts'

// A person on the gateway, a bot as NapCat's clients are, and one as go-cqhttp's are, talk to each other: what each hears is in the
// words that it knows, and all of it is one conversation. talk.ts [free]: with `free` on any ports, else on those of the config.

const folder = mkdtempSync(join(tmpdir(), 'fiberws-talk-'))
const free = process.argv[2] === 'free'

/** Where events are posted to. */
const courier = carry('courier-secret').listen(free ? 0 : 5701, '127.0.0.1')
await once(courier, 'listening')
const address = courier.address()
const hook = typeof address === 'object' && address !== null ? address.port : 5701

const text = readFileSync(new URL('web.json5', import.meta.url), 'utf8').replace('5701', String(hook))
const config: object = JSON5.parse(free ? text.replaceAll(/\b(?:8080|3001|5700)\b/g, '0') : text)
const host = webAllocHost({ ...config, dataDir: folder })
if ((await webStartHost(host)) !== 0) throw new Error(webGetError(host) ?? 'cannot start')
const [url = '', napcat = '', cqhttp = ''] = ['http', 'ws', 'http'].map(
  (scheme, i) => `${scheme}://127.0.0.1:${webGetPort(host, i)}`,
)

// Somebody, and a place to talk in: the bots come by themselves.
const account = { username: 'ada', password: 'correct horse battery' }
const token = textOf(await request(url, null, 'POST', '/auth/register', account), 'access_token')
const api = (method: string, path: string, body?: object): Promise<unknown> =>
  request(url, `Bearer ${token}`, method, path, body)
const server = textOf(await api('POST', '/servers', { name: 'Harbour' }), 'id')
const channel = textOf(await api('POST', `/servers/${server}/channels`, { name: 'general', type: 'text' }), 'id')
const names = new Map<string, string>()
while (names.size < 3) {
  const members = await api('GET', `/servers/${server}/members`)
  for (const one of Array.isArray(members) ? members : []) names.set(textOf(one, 'user_id'), textOf(one, 'username'))
  await sleep(10)
}

// The number of one bot, for the other to call.
const login = await request(cqhttp, 'Bearer courier-token', 'GET', '/get_login_info')
const number =
  typeof login === 'object' && login !== null && 'data' in login ? Number(textOf(login.data, 'user_id')) : 0
const keeper = keep(napcat, 'keeper-token', number)

const lines: { readonly id: string; readonly author: string }[] = []
const talk = new EventEmitter()
const said = once(talk, 'said')
const person = listen(
  url,
  () => Promise.resolve(token),
  (told) => {
    if (told.t === 'READY') {
      api('POST', `/channels/${channel}/messages`, { content: '@keeper how many cups are left?' }).catch(
        (error: unknown) => talk.emit('error', error),
      )
      return
    }
    const { author_id, content, mention_user_ids } = told.d
    const line = { id: textOf(told.d, 'id'), author: names.get(author_id ?? '') ?? 'somebody' }
    const answers = lines.findIndex(({ id }) => id === textOf(told.d, 'reply_to')) + 1
    lines.push(line)
    const calls = mention_user_ids.map((id) => names.get(id)).join(', ')
    console.log(`${lines.length} ${line.author}: ${content}`)
    console.log(`    ${answers === 0 ? '' : `answers ${answers}, `}calls ${calls}`)
    if (lines.length === 3) talk.emit('said')
  },
)
await said
person.stop()
keeper.stop()
await Promise.all([person.done, keeper.done, webFreeHost(host)])
courier.close()
rmSync(folder, { recursive: true })
