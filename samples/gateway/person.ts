import { createInterface } from 'node:readline'
import { listen, request, textOf } from './together.ts'

// Somebody at a terminal: what is typed is said in the first channel that there is. person.ts NAME PASSWORD [URL]

const [name = '', password = '', url = 'http://127.0.0.1:8080'] = process.argv.slice(2)
let token = ''
let channel = ''
const names = new Map<string, string>()

const api = (method: string, path: string, body?: object): Promise<unknown> =>
  request(url, `Bearer ${token}`, method, path, body)

async function login(): Promise<string> {
  token = textOf(await request(url, null, 'POST', '/auth/login', { username: name, password }), 'access_token')
  return token
}

async function findChannel(server: string): Promise<void> {
  const channels = await api('GET', `/servers/${server}/channels`)
  channel = Array.isArray(channels) ? textOf(channels[0], 'id') : ''
  const members = await api('GET', `/servers/${server}/members`)
  for (const one of Array.isArray(members) ? members : []) names.set(textOf(one, 'user_id'), textOf(one, 'username'))
  console.log(
    `in ${Array.isArray(channels) ? textOf(channels[0], 'name') : 'no channel'}, with ${[...names.values()].join(', ')}`,
  )
}

const loop = listen(url, login, (told) => {
  if (told.t === 'READY') {
    const [server] = told.d.servers
    if (server !== undefined) findChannel(server.id).catch(console.error)
  } else console.log(`${names.get(told.d.author_id ?? '') ?? 'somebody'}: ${told.d.content}`)
})

const lines = createInterface({ input: process.stdin })
lines.on('line', (content) => {
  if (channel === '') return console.error('not connected yet')
  api('POST', `/channels/${channel}/messages`, { content }).catch((error: unknown) => console.error(String(error)))
})
// Ctrl-D.
lines.once('close', () => loop.stop())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => loop.stop())
if ((await loop.done) !== 0) process.exitCode = 1
lines.close()
