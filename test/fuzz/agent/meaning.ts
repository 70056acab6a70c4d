/*
 * What frames of clients mean, from the specification: written apart from the product, and in another way.
 */

/** A client, as far as its frames depend on it. */
export interface Guest {
  readonly many: boolean
  readonly commands: boolean
  /** Frames of its chats have numbers. */
  readonly counts: boolean
  readonly home: string
  /** Its chats, with the number of the last frame. */
  readonly chats: Map<string, number>
  /** Names of what it has said, by chat and name: of the last hundred of each chat. */
  readonly names: Set<string>
  readonly most: number
}

type Frame = Record<string, unknown>

/** What a frame does, and what is answered; what nobody can know beforehand is taken from what was sent. */
export interface Deed {
  readonly kind: 'say' | 'command' | 'operation'
  readonly text: string
  /** Null: the one that it began with. */
  readonly chat: string | null
  answer(sent: readonly unknown[], guest: Guest): Frame[]
}

const blank = (text: string): boolean => !/[^\s\uFEFF]/.test(text)
const at = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined

/** Null: nothing. */
export function meaningOf(frame: string, guest: Guest): Deed | null {
  const text = frame.trim()
  if (text === '') return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return say(text, null, null, guest)
  }
  if (typeof value === 'string') return blank(value) ? null : say(value, null, null, guest)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return say(text, null, null, guest)
  const type = at(value, 'type')
  if (guest.many && typeof type === 'string') return operate(type, value, guest)
  const words = ['content', 'text', 'message'].map((name) => at(value, name))
  const first = words.find((one): one is string => typeof one === 'string' && !blank(one))
  return first === undefined ? null : say(first, null, at(value, 'id'), guest)
}

function say(text: string, chat: string | null, id: unknown, guest: Guest): Deed | null {
  const place = chat ?? guest.home
  if (guest.counts && typeof id === 'string' && id !== '' && id.length <= 64 && isAgain(place, id, guest, text))
    return null
  const word = text.trim()
  if (guest.commands && (word === '/stop' || word === '/new')) {
    const said = word === '/stop' ? 'No active task to stop.' : 'New session started.'
    return { kind: 'command', text, chat, answer: () => [number({ event: 'message', text: said }, place, guest)] }
  }
  return {
    kind: 'say',
    text,
    chat,
    answer: (sent) => {
      const stream = at(sent[0], 'stream_id')
      // The other half of a character might have come with the next piece.
      const half = /[\uD800-\uDBFF]$/.test(text) ? -1 : text.length
      const pieces = [text.slice(0, half), text.slice(half)].filter((piece) => piece !== '')
      return [
        ...pieces.map((piece) =>
          number({ event: 'delta', text: piece.toWellFormed(), stream_id: stream }, place, guest),
        ),
        number({ event: 'stream_end', stream_id: stream }, place, guest),
      ]
    },
  }
}

/** `/stop` is not queued, and so not remembered. */
function isAgain(chat: string, name: string, { names, commands }: Guest, text: string): boolean {
  const key = `${chat} ${name}`
  if (names.has(key)) return true
  if (commands && text.trim() === '/stop') return false
  names.add(key)
  const own = [...names].filter((one) => one.startsWith(`${chat} `))
  if (own.length > 100) names.delete(own[0] ?? '')
  return false
}

/** What all frames of a chat have. */
function number(frame: Frame, chat: string, { many, counts, chats }: Guest): Frame {
  if (many) frame['chat_id'] = chat
  if (counts) {
    const index = (chats.get(chat) ?? 0) + 1
    chats.set(chat, index)
    frame['index'] = index
  }
  return frame
}

const told = (frame: Frame): Deed => ({ kind: 'operation', text: '', chat: null, answer: () => [frame] })
const refused = (detail: string, chat?: string): Deed =>
  told(chat === undefined ? { event: 'error', detail } : { event: 'error', chat_id: chat, detail })

function operate(type: string, value: object, guest: Guest): Deed | null {
  const id = at(value, 'chat_id')
  if (type === 'new_chat') {
    if (guest.chats.size >= guest.most) return refused('too_many_chats')
    return {
      kind: 'operation',
      text: '',
      chat: null,
      answer: (sent) => {
        const made = String(at(sent[0], 'chat_id'))
        guest.chats.set(made, 0)
        return [{ event: 'attached', chat_id: made }]
      },
    }
  }
  if (type !== 'attach' && type !== 'message') return refused(`unknown type: '${type}'`.toWellFormed())
  if (typeof id !== 'string' || !/^[\w:-]{1,64}$/.test(id)) return refused('invalid chat_id')
  if (type === 'attach') {
    return guest.chats.has(id) ? told({ event: 'attached', chat_id: id }) : refused('access_denied', id)
  }
  const content = at(value, 'content')
  if (typeof content !== 'string' || blank(content)) return refused('missing content', id)
  if (!guest.chats.has(id)) return refused('access_denied', id)
  return say(content, id, at(value, 'id'), guest)
}
