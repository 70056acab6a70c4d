import type { Difference } from '../support/differences.ts'
import { close, closeReply, frame, text } from '../support/frames.ts'

/**
 * How connections end: the rows of spec §3.5, for each engine. The tests cross them with the situations in which the
 * cause may strike.
 */

export interface Expected {
  run: number
  status: number
  reason: string | null
  orderly: boolean
  /** Text of the ERROR event; null: there is none. */
  error: string | null
  /** The Close frame that the peer sees, as status and reason; null: none. */
  wire: readonly [status: number, reason: string] | null
}

/** What an engine does instead, and the rows of the table that allow it. */
type Deviation = Partial<Expected> & { rows: readonly Difference[] }

export interface Row {
  readonly name: string
  /** The peer's doing, what the program calls, a callback that fails, the clock, or the host. */
  readonly cause: 'peer' | 'local' | 'throw' | 'silence' | 'stop'
  /** What the peer sends, and whether it ends TCP behind it. */
  readonly sends?: Buffer
  readonly then?: 'fin' | 'reset'
  /** What the program calls. */
  readonly call?: 'close' | 'free'
  /** How the peer takes a Close. */
  readonly reply?: 'answers' | 'ends' | 'is silent'
  /** What the log says: who ended it, and with which status. */
  readonly logged: readonly [initiator: 'us' | 'peer' | 'network' | 'timeout', code: number]
  readonly node: Expected
  /** Where an engine differs that cannot wait for an answer. */
  readonly uws?: Deviation
  /** Where uWebSockets.js itself differs beside. */
  readonly native?: Deviation
}

const failed = (code: number, error: string | null, wire = code): Expected => ({
  run: -code,
  status: 1006,
  reason: null,
  orderly: false,
  error,
  wire: [wire, ''],
})
const lost = (error: string | null): Expected => ({ ...failed(1006, error), wire: null })
const orderly = (status: number, reason: string | null, wire: Expected['wire']): Expected => ({
  run: 0,
  status,
  reason,
  orderly: true,
  error: null,
  wire,
})

/** Longest message in these tests. */
export const MAX_MESSAGE = 2000

export const rows: readonly Row[] = [
  {
    name: 'peer Close 4001 "x"',
    cause: 'peer',
    sends: close(4001, 'x'),
    logged: ['peer', 4001],
    node: orderly(4001, 'x', [4001, 'x']),
  },
  {
    name: 'peer Close without status',
    cause: 'peer',
    sends: close(),
    logged: ['peer', 1005],
    node: orderly(1005, null, [0, '']),
  },
  {
    name: 'local SendClose, answered',
    cause: 'local',
    call: 'close',
    reply: 'answers',
    logged: ['us', 4000],
    node: orderly(4000, 'bye', [4000, 'bye']),
  },
  {
    name: 'local SendClose, the peer ends TCP instead',
    cause: 'local',
    call: 'close',
    reply: 'ends',
    logged: ['us', 4000],
    node: { ...lost(null), wire: [4000, 'bye'] },
    uws: { ...orderly(4000, 'bye', [4000, 'bye']), rows: ['local Close'] },
  },
  {
    name: 'TCP end without Close',
    cause: 'peer',
    then: 'fin',
    logged: ['network', 1006],
    node: lost('Connection lost'),
  },
  { name: 'TCP reset', cause: 'peer', then: 'reset', logged: ['network', 1006], node: lost('Connection lost') },
  {
    name: 'protocol violation',
    cause: 'peer',
    sends: frame({ opcode: 3 }),
    logged: ['us', 1002],
    node: failed(1002, 'Reserved opcode'),
    native: { error: 'Protocol error', wire: null, rows: ['wire close on violation', 'text of a protocol error'] },
  },
  {
    name: 'invalid UTF-8',
    cause: 'peer',
    sends: text(Buffer.of(0xff)),
    logged: ['us', 1007],
    node: failed(1007, 'Text message has invalid UTF-8'),
    native: { wire: null, rows: ['wire close on violation'] },
  },
  {
    name: 'message over maxMessage',
    cause: 'peer',
    sends: text('x'.repeat(MAX_MESSAGE + 1)),
    logged: ['us', 1009],
    node: failed(1009, 'Message too large'),
  },
  {
    name: 'inactivity',
    cause: 'silence',
    logged: ['timeout', 1001],
    node: failed(1006, 'Timeout waiting for WebSocket data', 1001),
  },
  { name: 'callback failed', cause: 'throw', logged: ['us', 1011], node: failed(1011, null) },
  {
    name: 'webStopHost, answered',
    cause: 'stop',
    reply: 'answers',
    logged: ['us', 1001],
    node: orderly(1001, null, [1001, '']),
  },
  {
    name: 'webStopHost, the peer ends TCP instead',
    cause: 'stop',
    reply: 'ends',
    logged: ['us', 1001],
    node: { ...lost(null), wire: [1001, ''] },
    uws: { ...orderly(1001, null, [1001, '']), rows: ['local Close'] },
  },
  { name: 'webSocketFree', cause: 'local', call: 'free', logged: ['us', 1006], node: lost(null) },
]

export const situations = ['idle', 'callback pending', 'queue full', 'inside OPEN', 'inside MESSAGE'] as const
export type Situation = (typeof situations)[number]

/** Messages that fill a queue beyond the pause. */
export const FILL = 1100

export const wireBytes = (wire: Expected['wire']): Buffer =>
  wire === null ? Buffer.alloc(0) : closeReply(wire[0] === 0 ? undefined : wire[0], wire[1])
