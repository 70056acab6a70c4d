import JSON5 from 'json5'
import { isRecord } from '../web/config/check.ts'
import { BAD_REQUEST, FAILED, type Retcode, WRONG_CREDENTIAL } from './failure.ts'

/** What a client asks for. */
export interface Asked {
  /** Null: it does not say. */
  readonly action: string | null
  readonly params: unknown
  /** JSON, which is returned as it came. */
  readonly echo: string
}

/** How an action has ended. */
export interface Outcome {
  readonly retcode: Retcode
  /** `null` for none. */
  readonly data: unknown
  readonly message: string
  /** It is the end of an answer that may have had parts. */
  readonly streams?: boolean
}

/** Text that is no JSON and longer than this is not read as JSON5, which takes 14 times as long. Characters. */
const MAX_JSON5 = 1_048_576

export const NOT_JSON = 'json解析失败,请检查数据格式'
export const NOT_LET_IN = 'token验证失败'
const NO_ECHO = '""'

/** What is asked, or with what echo that it cannot be read. */
export function parseRequest(text: string): Asked | { readonly unreadable: string } {
  const value = parseLenient(text)
  if (value === undefined) return { unreadable: findEcho(text) }
  // What can hold no action asks for nothing.
  if (!isRecord(value)) return { unreadable: 'null' }
  const { action, params } = value
  const echo = toEcho(value)
  return echo === null ? { unreadable: 'null' } : { action: typeof action === 'string' ? action : null, params, echo }
}

/** JSON, or what people write for it; undefined for neither. */
export function parseLenient(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    if (text.length > MAX_JSON5) return undefined
  }
  try {
    const value: unknown = JSON5.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** Null: it cannot be said again, as deep as it is. */
function toEcho(value: Readonly<Record<string, unknown>>): string | null {
  if (!Object.hasOwn(value, 'echo')) return NO_ECHO
  try {
    return JSON.stringify(value['echo']) ?? NO_ECHO
  } catch {
    return null
  }
}

/** What looks like an echo in what cannot be read. */
function findEcho(text: string): string {
  const [, echo = 'null'] =
    /"echo"\s*:\s*("(?:[^"\\\n]|\\.){0,1000}"|-?\d{1,15}|true|false)/.exec(text.slice(0, 65_536)) ?? []
  try {
    JSON.parse(echo)
    return echo
  } catch {
    return 'null'
  }
}

/** An answer: all fields are always there. */
export function toResponse({ retcode, data, message, streams = false }: Outcome, echo: string): string {
  const stream = streams ? 'stream-action' : 'normal-action'
  const status = retcode === 0 ? 'ok' : 'failed'
  const said = message === '' ? '""' : JSON.stringify(message)
  return `{"status":"${status}","retcode":${retcode},"data":${toJson(data)},"message":${said},"wording":${said},"echo":${echo},"stream":"${stream}"}`
}

/** A part of an answer. */
export const toPart = (data: object, echo: string): string =>
  toResponse({ retcode: 0, data, message: '', streams: true }, echo)

/** A result that is text already. */
export class Written {
  readonly json: string

  constructor(value: object) {
    this.json = JSON.stringify(value)
  }
}

function toJson(data: unknown): string {
  if (data instanceof Written) return data.json
  return data === null || data === undefined ? 'null' : JSON.stringify(data)
}

/** What was asked cannot be read. */
export const toUnreadable = (echo: string): string =>
  toResponse({ retcode: BAD_REQUEST, data: null, message: NOT_JSON }, echo)

/** To who has the wrong token: node-napcat-ts knows it by `echo: null`. */
export const WRONG_TOKEN = toResponse({ retcode: WRONG_CREDENTIAL, data: null, message: NOT_LET_IN }, 'null')

export const FAILED_INSIDE: Outcome = { retcode: FAILED, data: null, message: 'Internal error' }
