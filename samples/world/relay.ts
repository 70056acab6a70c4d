import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import JSON5 from 'json5'
import { webAllocHost, webFreeHost, webGetError, webGetPort, webStartHost } from '../../lib/index.ts' // Outside of this repository: 'fiberws'
import { listen, request, textOf } from '../gateway/together.ts'
import { Bot, segmentsOf } from './bot.ts'

// A person asks a bot, the bot asks an agent, and the agent answers so that the person is called: ids, mentions, replies and an
// image are the same for all of them. In the middle the server starts anew. relay.ts [free]: with `free` on any ports, else on
// those of the config.

const folder = mkdtempSync(join(tmpdir(), 'fiberws-relay-'))
const free = process.argv[2] === 'free'
const text = readFileSync(new URL('web.json5', import.meta.url), 'utf8')
const config: object = JSON5.parse(free ? text.replaceAll(/\b(?:8080|3001|8765)\b/g, '0') : text)
const IMAGE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** The server, and the bot's client. */
async function start() {
  const host = webAllocHost({ ...config, dataDir: folder })
  if ((await webStartHost(host)) !== 0) throw new Error(webGetError(host) ?? 'cannot start')
  const url = `http://127.0.0.1:${webGetPort(host, 0)}`
  // Behind that of the agent.
  const robo = new Bot(`ws://127.0.0.1:${webGetPort(host, 2)}/?access_token=robo-token`)
  const stop = async (): Promise<void> => {
    await robo.stop()
    await webFreeHost(host)
  }
  return { url, robo, stop }
}
type Running = Awaited<ReturnType<typeof start>>

let { url, robo, stop }: Running = await start()

async function person(username: string) {
  const account = { username, password: 'correct horse battery' }
  const token = textOf(await request(url, null, 'POST', '/auth/register', account), 'access_token')
  const api = (method: string, path: string, body?: object): Promise<unknown> =>
    request(url, `Bearer ${token}`, method, path, body)
  return { api, token }
}

/** What a person is told first: what is unread, too. */
async function unreadOf(token: string, channel: string): Promise<number> {
  const ready = await new Promise<unknown>((resolve) => {
    const ears = listen(
      url,
      () => Promise.resolve(token),
      ({ t, d }) => {
        if (t !== 'READY') return
        ears.stop()
        resolve(d)
      },
    )
  })
  return Number(
    textOf(
      listOf(ready, 'unread_counts').find((one) => textOf(one, 'channel_id') === channel),
      'unread_count',
    ),
  )
}

const toList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const listOf = (value: unknown, name: string): unknown[] =>
  toList(typeof value === 'object' && value !== null ? Reflect.get(value, name) : null)

const bytesAt = async (link: string): Promise<Buffer> => Buffer.from(await (await fetch(link)).arrayBuffer())
const say = (what: string, found: unknown): void => console.log(`${what}: ${String(found)}`)

// Two people, and a place to talk in: the bot and the agent come by themselves.
const ada = await person('ada')
const brin = await person('brin')
const server = textOf(await ada.api('POST', '/servers', { name: 'Harbour', is_public: true }), 'id')
const channel = textOf(await ada.api('POST', `/servers/${server}/channels`, { name: 'general', type: 'text' }), 'id')
await brin.api('POST', `/servers/${server}/join`)
const names = new Map<string, string>()
while (names.size < 4) {
  for (const one of toList(await ada.api('GET', `/servers/${server}/members`))) {
    names.set(textOf(one, 'user_id'), textOf(one, 'username'))
  }
  await sleep(10)
}
const roboId = [...names].find(([, name]) => name === 'robo')?.[0] ?? ''

// The person asks, with an image, and answers what was said before. Somebody wants to be a friend of the bot.
const first = textOf(await ada.api('POST', `/channels/${channel}/messages`, { content: 'tea at four' }), 'id')
const form = new FormData()
form.append('channel_id', channel)
form.append('file', new Blob([IMAGE], { type: 'image/png' }), 'tea.png')
const uploaded = await fetch(`${url}/files`, {
  method: 'POST',
  headers: { Authorization: `Bearer ${ada.token}` },
  body: form,
})
const file = textOf(await uploaded.json(), 'id')
const asks = { content: '@robo which tea is this?', reply_to: first, file_ids: [file] }
const question = textOf(await ada.api('POST', `/channels/${channel}/messages`, asks), 'id')
await brin.api('POST', '/friend-requests', { user_id: roboId, comment: 'tea?' })

const asked = await robo.event((event) => segmentsOf(event).some(({ type }) => type === 'image'))
const wants = await robo.event(({ post_type }) => post_type === 'request')
const segments = segmentsOf(asked)
const image = segments.find(({ type }) => type === 'image')?.data ?? {}
say('the bot hears', segments.map(({ type }) => type).join(', '))
say('the image is the one that was sent', (await bytesAt(image['url'] ?? '')).equals(IMAGE))
const { message_id, group_id, user_id } = asked
const before = { ...(await robo.get('get_msg', { message_id })), unread: await unreadOf(brin.token, channel) }

await stop()
;({ url, robo, stop } = await start())
console.log('the server has started anew')

// All of it is as it was.
const found = { ...(await robo.get('get_msg', { message_id })), unread: await unreadOf(brin.token, channel) }
for (const name of ['message_id', 'real_seq', 'group_id', 'user_id'] as const) {
  say(`${name} is the same`, textOf(found, name) === textOf(before, name))
}
say('unread before and after', `${before.unread}, ${found.unread}`)
const kept = segmentsOf(found).find(({ type }) => type === 'image')?.data ?? {}
say('the image is there', (await bytesAt(kept['url'] ?? '')).equals(IMAGE))
await robo.get('set_friend_add_request', { flag: wants['flag'] })
say('the bot and brin are friends', JSON.stringify(await robo.get('get_friend_list')).includes('"brin"'))

// The bot asks the agent, in answer to the person, with the image; what the agent says calls the person.
const members = await robo.get('get_group_member_list', { group_id })
const helper = Object.values(members).find((one) => textOf(one, 'nickname') === 'helper')
const sent = await robo.get('send_group_msg', {
  group_id,
  message: [
    { type: 'reply', data: { id: String(message_id) } },
    { type: 'at', data: { qq: textOf(helper, 'user_id') } },
    { type: 'text', data: { text: ' which tea is this, ' } },
    { type: 'at', data: { qq: String(user_id) } },
    { type: 'text', data: { text: '?' } },
    { type: 'image', data: { file: image['file'] ?? '' } },
  ],
})
say('numbers go on', Number(sent['message_id']) > Number(message_id))
const answer = await robo.event(({ user_id: by }) => by === Number(textOf(helper, 'user_id')))
say('sequences go on', Number(answer['real_seq']) === Number(textOf(found, 'real_seq')) + 2)

// What the person sees, the newest first.
const [said, relayed] = toList(await ada.api('GET', `/channels/${channel}/messages`))
for (const one of [relayed, said]) {
  const author = names.get(textOf(one, 'author_id')) ?? 'somebody'
  const calls = listOf(one, 'mention_user_ids')
    .map((id) => names.get(String(id)))
    .join(', ')
  const answers =
    textOf(one, 'reply_to') === question ? 'ada' : textOf(one, 'reply_to') === textOf(relayed, 'id') ? 'robo' : 'nobody'
  console.log(`${author}: ${textOf(one, 'content')}`)
  console.log(`    answers ${answers}, calls ${calls}, ${listOf(one, 'files').length} images`)
}
const link = textOf(listOf(relayed, 'files')[0], 'url')
say('the image is the one that was sent', (await bytesAt(new URL(link, url).href)).equals(IMAGE))
await stop()
rmSync(folder, { recursive: true })
