import { must } from '../target.ts'

/** What a text of a client means, as the specification has it (§2.3, §5): read here anew, to compare with. */

export type Status = 'online' | 'away' | 'dnd' | 'offline'

export interface PresenceWish {
  readonly status: Status
  /** Undefined: as it was. */
  readonly custom_status: string | null | undefined
  readonly activity: string | null | undefined
}

export type Meaning =
  | { readonly op: 'HEARTBEAT' }
  | { readonly op: 'PRESENCE_UPDATE'; readonly wish: PresenceWish }
  | { readonly op: 'TYPING_START'; readonly channel: string }
  /** An operation, with data that does not fit. */
  | { readonly op: 'wrong' }
  /** Voice signals reach nobody here: nobody is in a voice channel. */
  | { readonly op: 'VOICE_SIGNAL' }
  | null

type Data = Readonly<Record<string, unknown>>
const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Its code points; null for text that nothing may keep. */
export function count(text: string): number | null {
  let length = 0
  for (const letter of text) {
    const point = letter.codePointAt(0) ?? 0
    if (point === 0 || (point >= 0xd800 && point <= 0xdfff)) return null
    length++
  }
  return length
}

export const isWords = (value: unknown): value is string | null | undefined =>
  value === null || value === undefined || (typeof value === 'string' && (count(value) ?? Infinity) <= 128)

export const isStatus = (value: unknown): value is Status =>
  value === 'online' || value === 'away' || value === 'dnd' || value === 'offline'

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Only what an object has itself; a key that is there as undefined there is none of in JSON. */
const own = (data: Data, name: string): unknown => (Object.hasOwn(data, name) ? data[name] : undefined)

export function read(text: string): Meaning {
  const root = parse(text)
  if (!isData(root)) return null
  const [op, t, d] = [own(root, 'op'), own(root, 't'), own(root, 'd')]
  if (t !== undefined && t !== null && typeof t !== 'string') return null
  if (op === 'HEARTBEAT') return { op }
  if (op !== 'PRESENCE_UPDATE' && op !== 'TYPING_START' && op !== 'VOICE_SIGNAL') return null
  if (!isData(d)) return null
  if (op === 'VOICE_SIGNAL') return { op }
  if (op === 'TYPING_START') {
    const channel = own(d, 'channel_id')
    const good = typeof channel === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(channel)
    return good ? { op, channel: channel.toLowerCase() } : { op: 'wrong' }
  }
  const [status, custom_status, activity] = [own(d, 'status'), own(d, 'custom_status'), own(d, 'activity')]
  const good = isStatus(status) && isWords(custom_status) && isWords(activity)
  return good ? { op, wish: { status, custom_status, activity } } : { op: 'wrong' }
}

/** What is asked for reaches the code of an operation. */
export const reaches = (meaning: Meaning): boolean => meaning !== null && meaning.op !== 'VOICE_SIGNAL'

const NATIVE = [Object.prototype, Array.prototype, Function.prototype, String.prototype]
const BEFORE = NATIVE.map((prototype) => Reflect.ownKeys(prototype).length)

/** What all objects have is as it was. */
export function checkPrototypes(): void {
  const now = NATIVE.map((prototype) => Reflect.ownKeys(prototype).length)
  must(
    now.every((length, i) => length === BEFORE[i]) && !('polluted' in {}),
    () => `a prototype is polluted: ${NATIVE.map((prototype) => Object.keys(prototype).join()).join('; ')}`,
  )
}
