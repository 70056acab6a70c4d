import { isClean, isWithin } from '../chat/content.ts'
import { toTime, UUID } from '../chat/ids.ts'
import { has, SEND_MESSAGES } from '../chat/permissions.ts'
import { otherOf } from '../chat/directs.ts'
import type { Profile } from '../chat/users.ts'
import type { World } from '../chat/world.ts'
import { webSocketSendString } from '../websock/send.ts'
import type { Connection } from './connection.ts'

/*
 * What clients may ask for on the socket. What is not as it should be is dropped, without a word: that is the protocol.
 */

export const HEARTBEAT_ACK = '{"op":"HEARTBEAT_ACK"}'
/** Characters of what somebody says of themselves. */
const MAX_STATUS = 128
/** The same, of what a stream shows. */
const MAX_STREAM_TYPE = 32

type Data = Readonly<Record<string, unknown>>
type Operation = (world: World, connection: Connection, data: Data) => void

const STATUSES = ['online', 'away', 'dnd', 'offline'] as const

const isStatusText = (value: unknown): value is string | null | undefined =>
  value === undefined || toText(value, MAX_STATUS) !== undefined

const SIGNALS = ['offer', 'answer', 'candidate'] as const

/** Text, or null where there is none; undefined for what is neither. */
function toText(value: unknown, most: number): string | null | undefined {
  if (value === undefined || value === null) return null
  return typeof value === 'string' && isWithin(value, most) && isClean(value) ? value : undefined
}

/** In lower case; null for what is no id. */
function toId(value: unknown): string | null {
  const id = typeof value === 'string' ? value.toLowerCase() : ''
  return UUID.test(id) ? id : null
}

/** By their names; all but HEARTBEAT have data. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  PRESENCE_UPDATE: (world, connection, { status: given, custom_status, activity }) => {
    const status = STATUSES.find((one) => one === given)
    if (status === undefined || !isStatusText(custom_status) || !isStatusText(activity)) return
    const { userId } = connection.caller
    const declared = status === 'online' || status === 'away' ? status : null
    const profile: Profile = {
      status_sticky: status === 'dnd' || status === 'offline' ? status : null,
      // What is left out stays.
      ...(custom_status === undefined ? {} : { custom_status }),
      ...(activity === undefined ? {} : { activity }),
    }
    world.changes.submit(
      () => world.users.change(userId, profile),
      ({ ok }, release) => {
        // Both at once, so that what others see changes once.
        if (ok && declared !== null) connection.link?.declare(declared)
        release()
      },
    )
  },

  TYPING_START: (world, { caller }, { channel_id }) => {
    const id = toId(channel_id)
    const user = id === null ? null : world.users.find(caller.userId)
    if (id === null || user === null) return
    const typing = { type: 'typing', user, channelId: id, at: toTime(world.now()) } as const
    const direct = world.directs.find(user.id, id)
    if (direct !== null) {
      world.events.tell({ ...typing, serverId: null, to: otherOf(direct, user.id) })
      return
    }
    const seen = world.access.see(user.id, id)
    if (seen === null || !has(seen.permissions, SEND_MESSAGES)) return
    world.events.tell({ ...typing, serverId: seen.server_id, to: null })
  },

  VOICE_SIGNAL: (world, { caller: { userId } }, { to_user_id, ...data }) => {
    const to = toId(to_user_id)
    const type = SIGNALS.find((one) => one === data['type'])
    const [sdp, candidate] = [toText(data['sdp'], Infinity), toText(data['candidate'], Infinity)]
    const stream_type = toText(data['stream_type'], MAX_STREAM_TYPE)
    if (to === null || type === undefined) return
    if (sdp === undefined || candidate === undefined || stream_type === undefined) return
    if (!world.voice.areTogether(userId, to)) return
    world.events.tell({
      type: 'voice.signal',
      to,
      signal: { from_user_id: userId, type, sdp, candidate, stream_type },
    })
  },
}

const isObject = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value)

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Takes one text of a client. */
export function receive(world: World, connection: Connection, text: string): void {
  const message = parse(text)
  if (!isObject(message)) return
  const { op, t, d } = message
  if (typeof op !== 'string' || (t !== undefined && t !== null && typeof t !== 'string')) return
  // Nobody waits for an answer that does not fit.
  if (op === 'HEARTBEAT') return void webSocketSendString(connection.ws, HEARTBEAT_ACK)
  const operation = Object.hasOwn(OPERATIONS, op) ? OPERATIONS[op] : undefined
  if (operation !== undefined && isObject(d)) operation(world, connection, d)
}
