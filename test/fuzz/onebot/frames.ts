import { setImmediate as turn } from 'node:timers/promises'
import JSON5 from 'json5'
import { systemClock } from '../../../lib/engine/clock.ts'
import { Account } from '../../../lib/onebot/account.ts'
import { ACTIONS } from '../../../lib/onebot/actions/table.ts'
import { Endpoint } from '../../../lib/onebot/endpoint.ts'
import { checkConfig } from '../../../lib/web/config/load.ts'
import type { OneBotServer } from '../../../lib/web/config/onebot-settings.ts'
import { rSetLogSink } from '../../../lib/websock/log.ts'
import { SOURCES, SPOOL_FOLDER, WholePlatform } from '../../support/onebot-platform.ts'
import type { Random } from '../random.ts'
import { mutate } from '../sequences.ts'
import { must, type Outcome, Problem, type Runner, type Target } from '../target.ts'

type Choice<T> = readonly [T, ...T[]]

const LONGEST = 4096
/** Of those that are never done a few are enough. */
const DONE = [...ACTIONS.values()]
  // These have several answers, or wait for others.
  .filter(({ name }) => !/^(?:test_)?download_/.test(name))
  .filter(({ does }, n) => does !== 'unsupported' || n % 16 === 0)
  .map(({ name }) => name)
const NAMES: Choice<string> = ['send_msg', ...DONE, 'nope', '', '__proto__', 'toString', 'constructor']
const KEYS: Choice<string> = [
  'group_id',
  'user_id',
  'message_id',
  'message',
  'message_type',
  'messages',
  'duration',
  'enable',
  'flag',
  'approve',
  'count',
  'file',
  'id',
  'context',
  'operation',
  'auto_escape',
  '__proto__',
  'access_token',
]
const VALUES: Choice<string> = [
  '10001',
  '"10001"',
  '1',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  'null',
  'true',
  '"yes"',
  '""',
  '"group"',
  '"private"',
  '"[CQ:at,qq=10001] tea"',
  '"[CQ:face,id=1"',
  '"\\ud800"',
  '[]',
  '{}',
  '[[[[]]]]',
  '[{"type":"text","data":{"text":"tea"}}]',
  '[{"type":"at","data":{"qq":10001}},{"type":"reply","data":{"id":"1"}}]',
  '[{"type":"node","data":{"id":101}}]',
  '[{"type":"node","data":{"content":[{"type":"node","data":{"content":"x"}}]}}]',
  '[{"type":"poke","data":{"qq":"10001"}}]',
  '[{"type":"x","data":null}]',
  '[{"type":5}]',
  '{"type":"dice"}',
  '{"post_type":"message","message_type":"group","group_id":40001,"message_id":101,"user_id":30001}',
  '{"reply":"hi","at_sender":true,"delete":true,"kick":true,"ban":true}',
]
/** What parameters are. */
const FITTING: Readonly<Record<string, Choice<string>>> = {
  group_id: ['40001', '"40001"'],
  user_id: ['30001', '"30001"', '1'],
  message_id: ['101', '"101"', '2'],
  message: [
    '"tea"',
    '[{"type":"text","data":{"text":"tea"}}]',
    '"[CQ:at,qq=10001] tea"',
    '{"type":"dice"}',
    '"[CQ:poke,qq=1]"',
  ],
  messages: ['[{"type":"node","data":{"id":101}}]', '[{"type":"node","data":{"content":"x","user_id":"7"}}]'],
  message_type: ['"group"', '"private"'],
  duration: ['60', '"60"', '0'],
  enable: ['true', '"no"', '1'],
  approve: ['true', '"false"'],
  flag: ['"abc"', '5'],
  times: ['1', '"3"'],
  card: ['"x"', '""'],
  special_title: ['"x"', '""'],
  group_name: ['"tea"'],
  file: ['"a"'],
  remark: ['"tea"', '""'],
  status: ['10', '"30"'],
  wording: ['"tea"'],
  face_id: ['1'],
  event_type: ['1'],
  longNick: ['"tea"'],
  nickname: ['"tea"'],
  emoji_id: ['76', '"128512"'],
  set: ['true', 'false'],
  file_id: ['"a"'],
  id: ['"a"', '1'],
  count: ['5', '"5"'],
  message_seq: ['0', '1'],
  auto_escape: ['true', '"false"'],
  no_cache: ['true', '"yes"'],
  is_dismiss: ['false'],
  reject_add_request: ['false', 'true'],
  context: ['{"post_type":"message","message_type":"group","group_id":40001,"message_id":101,"user_id":30001}'],
  operation: ['{"reply":"hi","at_sender":true,"delete":true}', '{"kick":true,"ban":true}', '{}'],
}
const ECHOES: Choice<string> = [
  '"x"',
  '0',
  'false',
  'null',
  '{"seq":1}',
  '[1]',
  '"\\u0000é"',
  '1e21',
  '{"__proto__":1}',
  '""',
]

/** An endpoint that is asked without a socket. */
class Probe extends Endpoint<OneBotServer> {
  readonly #gate = this.createGate()

  open(): void {}

  protected get isHeard(): boolean {
    return false
  }

  protected send(): void {}

  ask(text: string, say: (text: string) => void): void {
    void this.receive(text, this.#gate, { say, room: () => Promise.resolve(true) })
  }
}

const RETCODES = new Set([0, 1200, 1400, 1404])
const FIELDS = 'status,retcode,data,message,wording,echo,stream'

class FramesRunner implements Runner {
  readonly #platform = new WholePlatform()
  readonly #account = new Account(this.#platform, systemClock, {
    media: SOURCES,
    folder: SPOOL_FOLDER,
    inlines: true,
    extras: { bundles: true, replies: true, withoutReplyAt: true },
  })
  readonly #probe: Probe
  #done = 0

  constructor() {
    const settings = checkConfig({ network: { websocketServers: [{ enable: true }] } }, '/').routes.find(
      (one) => one.onebot !== null,
    )?.onebot
    if (settings?.kind !== 'server') throw new Problem('the config has no server')
    this.#platform.keep({ text: 'tea' })
    this.#probe = new Probe(settings, this.#account, systemClock)
  }

  make(random: Random): Buffer {
    const name = random.pick(NAMES)
    const fitting = (): string =>
      `{${(ACTIONS.get(name)?.takes ?? []).map((key) => `"${key}":${random.chance(0.95) ? random.pick(FITTING[key] ?? VALUES) : random.pick(VALUES)}`).join(',')}}`
    const params = (): string => {
      if (random.chance(0.75)) return fitting()
      const entries = Array.from({ length: random.below(5) }, () => `"${random.pick(KEYS)}":${random.pick(VALUES)}`)
      return random.chance(0.9) ? `{${entries.join(',')}}` : random.pick(VALUES)
    }
    const parts = [`"action":${random.chance(0.97) ? JSON.stringify(name) : random.pick(VALUES)}`]
    if (random.chance(0.9)) parts.push(`"params":${params()}`)
    if (random.chance(0.7)) parts.push(`"echo":${random.pick(ECHOES)}`)
    const text = random.chance(0.95) ? `{${parts.join(',')}}` : random.pick(VALUES)
    const loose = random.chance(0.1) ? text.replaceAll('"action"', 'action').replace('}', ', /* c */ }') : text
    const bytes = Buffer.from(loose)
    return (random.chance(0.3) ? mutate(random, bytes) : bytes).subarray(0, LONGEST)
  }

  async attempt(input: Buffer): Promise<Outcome> {
    const text = input.toString()
    const answers: string[] = []
    this.#probe.ask(text, (answer) => answers.push(answer))
    for (let turns = 0; answers.length === 0 && turns < 50; turns++) await turn()
    must(answers.length === 1, () => `${answers.length} answers`)
    const [answer = ''] = answers
    const said: unknown = JSON.parse(answer)
    must(typeof said === 'object' && said !== null, 'no object')
    must(Object.keys(said).join(',') === FIELDS, () => `not the fields of an answer: ${answer}`)
    const { retcode, status, data, echo, message, wording, stream: streams } = { ...NONE, ...said }
    must(typeof retcode === 'number' && RETCODES.has(retcode), () => `retcode: ${answer}`)
    must(status === (retcode === 0 ? 'ok' : 'failed') && message === wording, () => `status: ${answer}`)
    const none = streams === 'stream-action' ? '{"type":"error","data_type":"error"}' : 'null'
    must(retcode === 0 ? message === '' : JSON.stringify(data) === none && message !== '', () => `data: ${answer}`)
    this.#checkMeaning(text, retcode, echo)
    this.#checkAsked()
    const reached = this.#platform.done.length > 0
    this.#platform.done.length = 0
    if (retcode === 0) this.#done++
    must(!('polluted' in {}) && Object.keys(Object.prototype).length === 0, 'a prototype was changed')
    return { count: 1, reached }
  }

  /** What a frame means, looked at again. */
  #checkMeaning(text: string, retcode: number, echo: unknown): void {
    const value = read(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return must(retcode === 1400, 'not an object, and done')
    }
    const given: unknown = Object.hasOwn(value, 'echo') ? Reflect.get(value, 'echo') : ''
    must(JSON.stringify(echo) === JSON.stringify(given), () => `echo: ${JSON.stringify(echo)}`)
    const name: unknown = Reflect.get(value, 'action')
    const known =
      typeof name === 'string' && (ACTIONS.has(name) || ACTIONS.has(name.replace(/_(?:async|rate_limited)$/, '')))
    if (!known) must(retcode === 1404, () => `an action that is not there: ${retcode}`)
  }

  /** A platform gets numbers where it is to have numbers, and segments that are some. */
  #checkAsked(): void {
    for (const one of this.#platform.done) must(isWellAsked(one), () => `asked: ${JSON.stringify(one)}`)
  }

  async settle(): Promise<void> {
    await turn()
    this.#platform.done.length = 0
  }

  stop(): Promise<void> {
    this.#account.close()
    rSetLogSink(null)
    return Promise.resolve()
  }

  notes(): string {
    return `(${this.#done} done)`
  }
}

const NONE = { retcode: null, status: null, data: null, echo: null, message: null, wording: null, stream: null }

function read(text: string): unknown {
  for (const parse of [JSON.parse, JSON5.parse]) {
    try {
      const value: unknown = parse(text)
      return value
    } catch {
      // The other one.
    }
  }
  return undefined
}

const isId = (value: unknown): boolean => Number.isInteger(value)
const isSegment = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  typeof value.type === 'string' &&
  'data' in value &&
  typeof value.data === 'object' &&
  value.data !== null &&
  !Array.isArray(value.data)

const isText = (value: unknown): boolean => typeof value === 'string'

function isWellAsked([method, ...args]: readonly [string, ...unknown[]]): boolean {
  return args.every((value) => {
    if (Array.isArray(value)) return value.length > 0 && (method === 'sendForward' || value.every(isSegment))
    if (typeof value === 'object' && value !== null) {
      return Object.values(value).every(method === 'setProfile' ? isText : isId)
    }
    if (isText(value)) return /^(?:answer|set|rename|forward|file|react)/.test(method)
    return typeof value === 'boolean' || (/^(?:history|readAll)$/.test(method) && value === null) || isId(value)
  })
}

/** Frames of clients, through an endpoint to a platform: each has one answer, and the platform hears only what it can do. */
export const onebotFrames: Target = {
  name: 'onebot-frames',
  full: 1_000_000,
  quick: 20_000,
  lanes: 1,
  minReached: 0.08,
  maxGrowth: 8e6,
  start: () => {
    rSetLogSink(() => {})
    return Promise.resolve(new FramesRunner())
  },
}
