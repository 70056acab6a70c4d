import type { OneBotPlatform } from '../../../include-types/onebot.ts'
import type { OneBotExtras } from '../../web/config/onebot-settings.ts'
import { Failure, NOT_AVAILABLE } from '../failure.ts'
import type { SourceOptions } from '../media/source.ts'
import type { Format } from '../message/format.ts'
import type { Unknown } from '../message/outgoing.ts'
import type { Spool } from '../media/spool.ts'
import type { Uploads } from '../media/uploads.ts'
import type { Turns } from '../turns.ts'
import { type ParamsSchema, readParams, type Validator } from './params.ts'

/** What an action does here: change or read the platform, say what never changes, or nothing at all. */
export type Does = 'does' | 'constant' | 'unsupported'

/** What an action is run with, beside its parameters. */
export interface Call {
  readonly platform: OneBotPlatform
  /** How who asks has messages. */
  readonly format: Format
  /** What becomes of segments of types that are not known. */
  readonly unknown: Unknown
  readonly status: Status
  /** Reads again which events are told, on all ways to the bot. */
  refilter(): void
  /** Where files come from that clients name. */
  readonly media: SourceOptions
  readonly turns: Turns
  /** Files that are asked for come with their bytes. */
  readonly inlines: boolean
  /** What messages that are asked for come with. */
  readonly extras: OneBotExtras
  /** What clients upload in parts, and what is downloaded for them. */
  readonly spool: Spool
  readonly uploads: Uploads
}

/** What is counted of a bot's endpoints, for `get_status`. */
export interface Status {
  readonly packetsReceived: number
  readonly packetsSent: number
  readonly messagesReceived: number
  readonly messagesSent: number
  readonly disconnects: number
  /** Events that waited for somebody, and could wait no longer. */
  readonly packetsLost: number
}

export interface Action {
  readonly name: string
  readonly does: Does
  /** The names of its parameters; those that are needed are first. */
  readonly takes: readonly string[]
  /** Whether its answer may come in several frames, as NapCat marks them. */
  readonly streams: boolean
  /** Throws, or rejects, where it is not done. */
  run(params: unknown, call: Call, send: Send): unknown
}

/** Sends a part of an answer, and waits until there is room for the next; false: nobody is there any more. */
export type Send = (data: object) => Promise<boolean>

interface Compiled<T> extends Validator<T> {
  Schema(): ParamsSchema
}

/** A row of the table of actions. */
export function action<T>(
  name: string,
  validator: Compiled<T>,
  run: (params: T, call: Call, send: Send) => unknown,
  does: Does = 'does',
): Action {
  const schema = validator.Schema()
  const { required, properties } = schema
  return {
    name,
    does,
    takes: [...required, ...Object.keys(properties).filter((key) => !required.includes(key))],
    streams: false,
    run: (params, call, send) => run(readParams(params, schema, validator), call, send),
  }
}

/** What NapCat hands through from QQ, where it went well. */
export const DONE = { result: 0, errMsg: '' }

/** A part that a platform need not have. Throws 1404 where it has not. */
export function part<T>(given: T | undefined): T {
  if (given === undefined) throw new Failure(NOT_AVAILABLE, 'not available on this platform')
  return given
}
