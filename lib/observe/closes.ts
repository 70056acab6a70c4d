import type { Socket } from '../websock/socket.ts'

/** Ends of connections that are remembered. */
export const MOST_CLOSES = 1000

/** How a connection has ended, for people. */
export interface CloseRecord {
  readonly id: number
  readonly remote: string
  readonly route: string
  readonly initiator: string
  readonly code: number
  readonly reason: string
  /** Milliseconds that it was open. */
  readonly age: number
  readonly messagesIn: number
  readonly bytesIn: number
  readonly messagesOut: number
  readonly bytesOut: number
  /** Bytes that the peer had not read. */
  readonly buffered: number
}

export function toRecord(ws: Socket): CloseRecord {
  const { id, ending, context, openedAt, remoteAddress, messagesIn, bytesIn, messagesOut, bytesOut } = ws
  return {
    id,
    remote: remoteAddress,
    route: context.route,
    initiator: ending?.cause.initiator ?? 'network',
    code: ending?.cause.code ?? 0,
    reason: ending?.cause.reason ?? '',
    age: (ending?.at ?? openedAt) - openedAt,
    messagesIn,
    bytesIn,
    messagesOut,
    bytesOut,
    buffered: ending?.buffered ?? 0,
  }
}

/** With the time of day (ISO 8601) and the process: `id` counts in each. */
export type TimedClose = CloseRecord & { readonly time: string; readonly pid: number }

/** The latest ends of connections. */
export class Closes {
  readonly #records: TimedClose[] = []
  #next = 0

  add(record: CloseRecord): void {
    this.#records[this.#next] = { time: new Date().toISOString(), pid: process.pid, ...record }
    this.#next = (this.#next + 1) % MOST_CLOSES
  }

  /** The newest first. */
  list(): TimedClose[] {
    return [...this.#records.slice(this.#next), ...this.#records.slice(0, this.#next)].toReversed()
  }
}
