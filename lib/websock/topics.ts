import type { WebSocket, WebSocketTopics } from '../../include-types/websock.ts'
import type { TopicPort } from '../engine/port.ts'
import { R_ERR_BAD_ARGS, R_ERR_BAD_STATE, R_ERR_BUSY, R_ERR_WOULD_BLOCK, WS_STATE_OPEN } from './constants.ts'
import { type Payload, payloadLength, toPayload } from './payload.ts'
import type { Pressure } from './pressure.ts'
import { Outgoing, refuse, type Socket, toSocket } from './socket.ts'

/** Topics that programs name live under this prefix, so that they can never join a protocol's own. */
const USER = 'u/'

/** Takes what is published to those who see to it that all processes deliver it, in one order; false: too much waits already. */
export type Relay = (topic: string, payload: Payload, binary: boolean) => boolean

/** Fan-out of one host: thin, so that one publish is one call of the engine. */
export class Topics implements WebSocketTopics {
  /** For the protocols: topics by their full name. */
  readonly port: TopicPort
  readonly #pressure: Pressure
  /** What was sent so far, once for each receiver. */
  messages = 0
  bytes = 0
  /** Told of each publish. */
  onPublish: (() => void) | null = null
  /** Where publishes go; null: to the subscribers. */
  relay: Relay | null = null

  constructor(port: TopicPort, pressure: Pressure) {
    this.port = port
    this.#pressure = pressure
  }

  publish(topic: string, payload: Payload, binary: boolean): number {
    if (this.relay === null) return this.deliver(topic, payload, binary)
    return this.relay(topic, payload, binary) ? this.port.subscribers(topic) : R_ERR_WOULD_BLOCK
  }

  /** To the subscribers of this process. */
  deliver(topic: string, payload: Payload, binary: boolean): number {
    const length = payloadLength(payload)
    this.#pressure.makeRoom(topic, length)
    const receivers = this.port.publish(topic, payload, length, binary)
    this.messages += receivers
    this.bytes += receivers * length
    if (receivers > 0) {
      this.#pressure.published(receivers * length)
      this.onPublish?.()
    }
    return receivers
  }

  subscribers(topic: string): number {
    return typeof topic === 'string' ? this.port.subscribers(USER + topic) : 0
  }
}

/**
 * Adds the connection to a topic. False, with the error message set, when the connection is not open or has begun a
 * `WS_MSG_MORE` sequence on the wire: a publish would land between its frames.
 */
export function webSocketSubscribe(ws: WebSocket | null, topic: string): boolean {
  const socket = toSocket(ws)
  if (socket === null || !canSubscribe(socket, topic)) return false
  return joinTopic(socket, USER + topic)
}

/** For the protocols: adds an open connection to a topic by its full name; false where it is not open. */
export function joinTopic(socket: Socket, topic: string): boolean {
  if (!(socket.transport?.subscribe(topic) ?? false)) return false
  const outgoing = (socket.outgoing ??= new Outgoing())
  outgoing.subscribed = true
  return true
}

/** For the protocols: removes a connection from a topic by its full name. */
export const leaveTopic = (socket: Socket, topic: string): boolean => socket.transport?.unsubscribe(topic) ?? false

/** Removes the connection from a topic; false when it was not on it. */
export function webSocketUnsubscribe(ws: WebSocket | null, topic: string): boolean {
  return typeof topic === 'string' && (toSocket(ws)?.transport?.unsubscribe(USER + topic) ?? false)
}

/**
 * Sends one message to every subscriber of `topic`, the publisher included if it is one. The frame is made once.
 * Returns the number of subscribers, with workers those of this process; or -6 for data or topics of the wrong type, and where
 * no host runs (null); -41 where too much waits for other workers.
 */
export function webSocketPublish(
  topics: WebSocketTopics | null,
  topic: string,
  data: string | Uint8Array | ArrayBuffer,
  binary?: boolean,
): number {
  const payload = toPayload(data)
  if (payload === null || typeof topic !== 'string' || !(topics instanceof Topics)) return R_ERR_BAD_ARGS
  return topics.publish(USER + topic, payload, binary ?? typeof payload !== 'string')
}

function canSubscribe(socket: Socket, topic: unknown): boolean {
  if (typeof topic !== 'string') refuse(socket, R_ERR_BAD_ARGS, 'A topic is a string')
  else if (socket.state !== WS_STATE_OPEN) refuse(socket, R_ERR_BAD_STATE, 'Connection is not open')
  else if (socket.outgoing?.more?.held === null)
    refuse(socket, R_ERR_BUSY, 'Cannot subscribe inside a message that is being sent')
  else return true
  return false
}
