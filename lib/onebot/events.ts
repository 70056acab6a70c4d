import type { OneBotEvent } from '../../include-types/onebot.ts'
import { type Format, toMessage } from './message/format.ts'

/** How an endpoint has events: endpoints that have them alike share their text. */
export interface Shape {
  readonly format: Format
  /** With the message as the platform has it. */
  readonly debug: boolean
}

/** What an event says behind `time` and `self_id`, by what tells one shape from another. */
const made = new WeakMap<OneBotEvent, Map<string, string>>()

/** Whether a bot has said it itself. */
export const isOwn = (event: OneBotEvent, selfId: number): boolean =>
  event.kind === 'message' && event.message.sender.id === selfId

/** An event as JSON. It is made once for all bots and endpoints that have it alike. */
export function toText(event: OneBotEvent, selfId: number, shape: Shape): string {
  const time = event.kind === 'message' ? event.message.time : event.time
  return `{"time":${time},"self_id":${selfId},${tailOf(event, selfId, shape)}`
}

function tailOf(event: OneBotEvent, selfId: number, { format, debug }: Shape): string {
  let tails = made.get(event)
  if (tails === undefined) made.set(event, (tails = new Map<string, string>()))
  // Only messages have more than one.
  const key = event.kind === 'message' ? `${format} ${debug} ${isOwn(event, selfId)}` : ''
  const known = tails.get(key)
  if (known !== undefined) return known
  const text = JSON.stringify(toBody(event, selfId, { format, debug })).slice(1)
  tails.set(key, text)
  return text
}

function toBody(event: OneBotEvent, selfId: number, { format, debug }: Shape): object {
  if (event.kind === 'notice') return { post_type: 'notice', ...event.notice }
  if (event.kind === 'request') return { post_type: 'request', ...event.request }
  const { message } = event
  const { time: _, ...body } = toMessage(message, format, selfId)
  return debug && message.native !== undefined ? { ...body, raw: message.native } : body
}

/** What is said of a connection itself. */
export const toLifecycle = (selfId: number, time: number, subType: 'connect' | 'enable' | 'disable'): string =>
  JSON.stringify({
    time,
    self_id: selfId,
    post_type: 'meta_event',
    meta_event_type: 'lifecycle',
    sub_type: subType,
  })

/** @param interval milliseconds to the next */
export const toHeartbeat = (selfId: number, time: number, online: boolean, interval: number): string =>
  JSON.stringify({
    time,
    self_id: selfId,
    post_type: 'meta_event',
    meta_event_type: 'heartbeat',
    status: { online, good: true },
    interval,
  })
