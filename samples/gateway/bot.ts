import { listen, request, textOf, type User } from './together.ts'

// A bot that answers when it is mentioned. bot.ts TOKEN [URL]

const [secret = '', url = 'http://127.0.0.1:8080'] = process.argv.slice(2)
let token = ''
let me: User | null = null

/** The bot's own token does not end, and stays out of URLs: they are logged. */
async function connect(): Promise<string> {
  token = textOf(await request(url, `Bot ${secret}`, 'POST', '/bots/connect'), 'access_token')
  return token
}

const loop = listen(url, connect, (told) => {
  if (told.t === 'READY') {
    me = told.d.user
    console.log(`here as @${me.username}`)
  } else if (me !== null && told.d.mention_user_ids.includes(me.id) && told.d.author_id !== me.id) {
    const { channel_id, content } = told.d
    const words = content.split(/\s+/).filter((word) => !word.startsWith('@')).length
    request(url, `Bearer ${token}`, 'POST', `/channels/${channel_id}/messages`, {
      content: `I have counted ${words} words`,
    }).catch((error: unknown) => console.error(String(error)))
  }
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => loop.stop())
if ((await loop.done) !== 0) process.exitCode = 1
