import { tmpdir } from 'node:os'
import { afterEach } from 'vitest'
import type { Agent, AgentConfig, Chunk, Reply, Session, TurnContext } from '../../include-types/agent.ts'
import { createOpenAi } from '../../lib/agent/agents/openai.ts'
import { Failure } from '../../lib/agent/failure.ts'
import type { AgentSettings } from '../../lib/web/config/channel-settings.ts'
import { checkConfig } from '../../lib/web/config/load.ts'

/* The agent `openai` without a channel around it. */

type Settings = Extract<AgentSettings, { readonly type: 'openai' }>

/** What a config makes of the options of an agent. */
export function settingsOf(agent: Readonly<Record<string, unknown>> & Partial<AgentConfig>): AgentSettings {
  const channels = { websocket: { enabled: true, port: 0, agent } }
  const { routes } = checkConfig({ channels }, tmpdir())
  const settings = routes.map(({ channel }) => channel?.settings.agent).find((found) => found !== undefined)
  if (settings === undefined) throw new Error('no agent in the config')
  return settings
}

const agents = new Set<Agent>()
afterEach(async () => {
  for (const agent of agents) await agent.stop?.()
  agents.clear()
})

export interface Asked {
  readonly chunks: readonly Chunk[]
  /** Strings of them. */
  readonly text: string
  readonly failure: Failure | null
  readonly logs: readonly string[]
}

export interface Asking {
  readonly text?: string
  readonly session?: Partial<Session>
  readonly signal?: AbortSignal
  /** Milliseconds before another try. */
  readonly delays?: readonly number[]
  /** What a config cannot say. */
  readonly over?: Partial<Settings>
  readonly onChunk?: (chunk: Chunk) => void
  readonly onLog?: (line: string) => void
}

export const sessionOf = (more: Partial<Session> = {}): Session => ({
  key: 'websocket:c1',
  chatId: 'c1',
  clientId: 'alice',
  remote: '127.0.0.1',
  history: [],
  state: new Map(),
  ...more,
})

export function contextOf(signal: AbortSignal, log: (line: string) => void = () => {}): TurnContext {
  return { signal, streaming: true, turnId: 't1', log: { info: log, error: log } }
}

/** What is yielded one after the other. */
export function iterate(reply: Reply): AsyncIterable<Chunk> {
  if (typeof reply === 'object' && Symbol.asyncIterator in reply) return reply
  throw new Error('the agent gave nothing to iterate')
}

/** Stopped after the test. */
export function openai(
  options: Readonly<Record<string, unknown>> & Partial<AgentConfig>,
  delays?: readonly number[],
  over: Partial<Settings> = {},
): Agent {
  const settings = settingsOf({ type: 'openai', model: 'm', ...options })
  if (settings.type !== 'openai') throw new Error('another agent')
  const agent = createOpenAi({ ...settings, ...over }, delays)
  agents.add(agent)
  return agent
}

/** One turn; what it ends with is not thrown. Another try comes at once. */
export async function askModel(
  options: Readonly<Record<string, unknown>> & Partial<AgentConfig>,
  { text = 'question', session, signal, delays = [0], over, onChunk, onLog }: Asking = {},
): Promise<Asked> {
  const agent = openai(options, delays, over)
  const chunks: Chunk[] = []
  const logs: string[] = []
  const context = contextOf(signal ?? new AbortController().signal, (line) => {
    logs.push(line)
    onLog?.(line)
  })
  let failure: Failure | null = null
  try {
    for await (const chunk of iterate(agent.reply(sessionOf(session), text, context))) {
      chunks.push(chunk)
      onChunk?.(chunk)
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    failure = error
  }
  return { chunks, text: chunks.filter((chunk) => typeof chunk === 'string').join(''), failure, logs }
}

/** Something that happens later, once. */
export function later(): { readonly event: Promise<void>; readonly happen: () => void } {
  let happen = (): void => {}
  const event = new Promise<void>((resolve) => (happen = resolve))
  return { event, happen }
}
