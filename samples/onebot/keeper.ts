import { type ClientLoop, webSocketClientLoop, webSocketSendJson, WS_EVENT_MESSAGE } from '../../lib/index.ts' // Outside of this repository: 'fiberws'

// A bot as NapCat's clients are: it connects, hears events, and asks for actions on the same WebSocket.

/** What is looked at here of an event; there is more. */
export interface GroupMessage {
  readonly post_type: 'message'
  readonly self_id: number
  readonly message_id: number
  readonly group_id: number
  readonly user_id: number
  readonly message: readonly { readonly type: string; readonly data: Readonly<Record<string, string>> }[]
  readonly raw_message: string
}

/** The server is believed: its specification says what each event holds. */
export const isGroupMessage = (value: unknown): value is GroupMessage =>
  typeof value === 'object' &&
  value !== null &&
  'post_type' in value &&
  value.post_type === 'message' &&
  'group_id' in value

/** Answers whoever calls it, and has somebody else called. */
export const keep = (url: string, token: string, courier: number): ClientLoop =>
  webSocketClientLoop(`${url}/?access_token=${token}`, (ws, event, buf) => {
    if (event !== WS_EVENT_MESSAGE || typeof buf !== 'string') return
    const told: unknown = JSON.parse(buf)
    if (!isGroupMessage(told)) return
    const { self_id, group_id, user_id, message_id, message } = told
    if (!message.some(({ type, data }) => type === 'at' && data['qq'] === String(self_id))) return
    webSocketSendJson(ws, {
      action: 'send_group_msg',
      params: {
        group_id,
        message: [
          { type: 'reply', data: { id: String(message_id) } },
          { type: 'at', data: { qq: String(user_id) } },
          { type: 'text', data: { text: ' three cups. ' } },
          { type: 'at', data: { qq: String(courier) } },
          { type: 'text', data: { text: ' bring more, please' } },
        ],
      },
      echo: { seq: message_id },
    })
  })
