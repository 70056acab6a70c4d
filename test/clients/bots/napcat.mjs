import { NCWebsocket } from 'node-napcat-ts'
import { follow, tell } from './lines.mjs'

/* node-napcat-ts, as its users write it. */

const client = new NCWebsocket(
  { reconnection: { enable: false }, throwPromise: true, ...JSON.parse(process.argv[2]) },
  false,
)
for (const event of ['socket', 'meta_event', 'message', 'message_sent', 'notice', 'request']) {
  client.on(event, (data) => tell(event, data))
}
// What an answer to a message is for those who use it: the message itself has a function for that.
client.on('message', (message) => {
  if (message.raw_message.includes('quick'))
    void message.quick_action([{ type: 'text', data: { text: 'quickly' } }], true)
})
client.on('request.group', (request) => void request.quick_action(true))
follow((name) => client[name].bind(client))
tell('ready')
