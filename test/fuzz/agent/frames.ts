import { setImmediate as turn } from 'node:timers/promises'
import { isUtf8 } from 'node:buffer'
import { Channel } from '../../../lib/agent/channel.ts'
import type { MemoryTransport } from '../../../lib/engine/memory.ts'
import { checkConfig } from '../../../lib/web/config/load.ts'
import type { ChannelSettings } from '../../../lib/web/config/channel-settings.ts'
import { rSetLogSink } from '../../../lib/websock/log.ts'
import { type Bench, bench, traits } from '../../support/memory.ts'
import type { Random } from '../random.ts'
import { mutate } from '../sequences.ts'
import { must, type Outcome, Problem, type Runner, type Target } from '../target.ts'
import { type Deed, type Guest, meaningOf } from './meaning.ts'

const LONGEST = 4096
/** The first bytes of an input: the client, and whether it is text. */
const HEAD = 2
const MOST_CHATS = 4

type Choice<T> = readonly [T, ...T[]]

const WORDS: Choice<string> = [
  'hello',
  '  hello ',
  '',
  '   ',
  '/stop',
  ' /new ',
  '/stopped',
  'grüße 你好 🎉',
  '\\ud800',
  '\\u0000',
  '\\"',
  'x'.repeat(200),
]
const VALUES: Choice<string> = [
  '5',
  'null',
  'true',
  '[]',
  '["a"]',
  '{}',
  '""',
  '" "',
  '"\\udc00"',
  '1e999',
  '{"content":"a"}',
]
const FIELDS: Choice<string> = [
  'content',
  'text',
  'message',
  'type',
  'chat_id',
  'id',
  '__proto__',
  'toString',
  'Content',
]
const TYPES: Choice<string> = ['new_chat', 'attach', 'message', 'message', 'stop', '', '__proto__', 'toString']
const PLAIN: Choice<string> = [
  'hello',
  '123',
  'true',
  'null',
  '["hello"]',
  '{broken',
  '{"content":"a"} tail',
  '"quoted"',
  '"',
  '""',
  '{}',
]

class FramesRunner implements Runner {
  readonly #bench: Bench = bench({ maxMessage: LONGEST, maxSent: 0 })
  readonly #guests: { readonly transport: MemoryTransport; readonly guest: Guest }[] = []
  /** What agents have heard: chat and text. */
  readonly #heard: (readonly [chat: string, text: string])[] = []
  readonly #channels: Channel[] = []
  #deeds = 0

  constructor() {
    this.#open({}, [null, '1'])
    this.#open({ multiChat: true, commands: true, maxChatsPerClient: MOST_CHATS }, [null, '1'])
  }

  #open(block: Record<string, unknown>, wishes: readonly (string | null)[]): void {
    const { context } = this.#bench
    const settings = settingsOf(block)
    const agent = {
      name: 'fuzz',
      reply: ({ chatId }: { chatId: string }, text: string) => {
        this.#heard.push([chatId, text])
        return text
      },
    }
    const channel = new Channel(settings, agent, { context, topics: context.topics }, null)
    this.#channels.push(channel)
    for (const resume of wishes) {
      const { transport, ws } = this.#bench.connect(resume === null ? traits.node : traits.uws)
      channel.run(ws, '127.0.0.1', { clientId: 'fuzz', resume, index: null })
      this.#turn()
      const ready: unknown = JSON.parse(transport.sent[0]?.payload.toString() ?? '')
      const chat = typeof ready === 'object' && ready !== null && 'chat_id' in ready ? String(ready.chat_id) : ''
      transport.sent.length = 0
      this.#guests.push({
        transport,
        guest: {
          many: settings.multiChat,
          commands: settings.commands,
          counts: resume !== null,
          home: chat,
          chats: new Map([[chat, 0]]),
          names: new Set(),
          most: settings.maxChatsPerClient,
        },
      })
    }
  }

  #turn(): void {
    while (this.#bench.clock.turn() > 0);
  }

  make(random: Random): Buffer {
    const who = random.below(this.#guests.length)
    const known = [...(this.#guests[who]?.guest.chats.keys() ?? [])]
    const word = (): string => (random.chance(0.6) ? `"${random.pick(WORDS)}"` : random.pick(VALUES))
    const id = (): string => `"${known[random.below(known.length)] ?? ''}${random.chance(0.2) ? 'x' : ''}"`
    const field = (): string => {
      const name = random.pick(FIELDS)
      if (name === 'type') return `"type":"${random.pick(TYPES)}"`
      if (name === 'chat_id' && random.chance(0.8)) return `"chat_id":${id()}`
      if (name === 'id' && random.chance(0.8)) return `"id":"q${random.below(500)}"`
      return `"${name}":${word()}`
    }
    const shape = random.below(10)
    const text =
      shape < 2
        ? random.pick(PLAIN)
        : shape < 4
          ? `{"type":"${random.pick(TYPES)}","chat_id":${id()},"content":"${random.pick(WORDS)}"}`
          : `{${Array.from({ length: random.below(5) }, field).join(',')}}`
    const bytes = random.chance(0.3) ? mutate(random, Buffer.from(text)) : Buffer.from(text)
    return Buffer.concat([Buffer.of(who, random.below(256)), bytes.subarray(0, LONGEST)])
  }

  attempt(input: Buffer): Outcome {
    const [who = 0, kind = 0] = input
    const one = this.#guests[who % this.#guests.length]
    must(one !== undefined, 'nobody is there')
    const bytes = input.subarray(HEAD)
    // What is no UTF-8 never comes as text.
    const isText = kind >= 40 && isUtf8(bytes)
    one.transport.message(isText ? bytes.toString() : bytes)
    this.#turn()
    const deed = isUtf8(bytes) ? meaningOf(bytes.toString(), one.guest) : null
    this.#checkHeard(deed, one.guest)
    this.#checkSent(deed, one)
    return { count: 1, reached: deed?.kind === 'say' }
  }

  #checkHeard(deed: Deed | null, { home }: Guest): void {
    const expected = deed?.kind === 'say' ? [[deed.chat ?? home, deed.text]] : []
    must(JSON.stringify(this.#heard) === JSON.stringify(expected), () => {
      return `the agent heard ${JSON.stringify(this.#heard)} in place of ${JSON.stringify(expected)}`
    })
    this.#heard.length = 0
  }

  #checkSent(deed: Deed | null, { transport, guest }: { transport: MemoryTransport; guest: Guest }): void {
    const frames = transport.sent.map(({ payload }): unknown => JSON.parse(payload.toString()))
    transport.sent.length = 0
    for (const other of this.#guests) {
      must(other.transport.sent.length === 0, 'somebody else got something')
      must(other.transport.closed === null && !other.transport.ended, 'a connection was closed')
    }
    if (deed !== null) this.#deeds++
    const expected = deed === null ? [] : deed.answer(frames, guest)
    must(JSON.stringify(frames) === JSON.stringify(expected), () => {
      return `sent was ${JSON.stringify(frames)} in place of ${JSON.stringify(expected)}`
    })
    const { failures, warnings } = this.#bench
    must(failures.length + warnings.length === 0, () => `failed: ${String([failures[0]?.error, ...warnings])}`)
    must(!('polluted' in {}) && Object.keys(Object.prototype).length === 0, 'a prototype was changed')
  }

  async settle(): Promise<void> {
    await turn()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.close()))
    rSetLogSink(null)
  }

  notes(): string {
    return `(${this.#deeds} that meant something)`
  }
}

function settingsOf(block: Record<string, unknown>): ChannelSettings {
  const config = { channels: { websocket: { enabled: true, websocketRequiresToken: false, ...block } } }
  const settings = checkConfig(config, '/').routes[0]?.channel?.settings
  if (settings === undefined) throw new Problem('the config has no channel')
  // What is kept to be sent again is not to grow for long: memory is looked at.
  return { ...settings, resumeBytes: 100_000 }
}

/** Frames of clients, through a channel to its agent: what it hears, and what comes back, is what they mean. */
export const agentFrames: Target = {
  name: 'agent-frames',
  full: 1_000_000,
  quick: 20_000,
  lanes: 1,
  minReached: 0.3,
  maxGrowth: 5e6,
  start: () => {
    rSetLogSink(() => {})
    return Promise.resolve(new FramesRunner())
  },
}
