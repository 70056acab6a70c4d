import { createRequire } from 'node:module'
import { follow, tell } from './lines.mjs'

/* Koishi with its OneBot adapter, as its documentation has it. */

// Its modules do not load as ES modules.
const require = createRequire(import.meta.url)
const { Context } = require('koishi')
const { OneBotBot } = require('koishi-plugin-adapter-onebot')
const http = require('@koishijs/plugin-http')
const server = require('@koishijs/plugin-server')

const { port, ...config } = JSON.parse(process.argv[2])
const app = new Context()
app.plugin(http.default ?? http)
app.plugin(server.default ?? server, { host: '127.0.0.1', port })
app.plugin(OneBotBot, config)

const toPlain = (session) => ({
  type: session.type,
  subtype: session.subtype,
  userId: session.userId,
  guildId: session.guildId,
  channelId: session.channelId,
  messageId: session.messageId,
  content: session.content,
  isDirect: session.isDirect,
  operatorId: session.operatorId,
  quote: session.quote === undefined ? undefined : { id: session.quote.id, content: session.quote.content },
  name: session.event.user?.name,
  flag: session.messageId,
})
for (const event of [
  'message',
  'message-deleted',
  'guild-added',
  'guild-removed',
  'guild-member-added',
  'guild-member-removed',
  'guild-member',
  'friend-request',
  'guild-member-request',
  'guild-request',
  'notice',
  'friend-added',
]) {
  app.on(event, (session) => tell(event, toPlain(session)))
}
app.on('login-updated', () => tell('login', { status: bot().status }))

const bot = () => app.bots[0]
/** Of the bot, `internal.…` of its adapter. */
const find = (name) => {
  const [first, second] = name.split('.')
  const owner = second === undefined ? bot() : bot()[first]
  return owner[second ?? first].bind(owner)
}
follow((name) => (name === 'status' ? () => bot().status : find(name)))
await app.start()
tell('ready')
