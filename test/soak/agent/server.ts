/**
 * An agent channel in a process of its own: `server.ts CONFIG`, as JSON. It tells its port, then answers commands. Its agent
 * says what it is asked for, at the pace that it is asked for.
 */
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TurnContext } from '../../../include-types/agent.ts'
import { createAgentHandler } from '../../../lib/agent/handler.ts'
import { parts } from '../../../lib/parts.ts'
import { createHost } from '../../../lib/web/host.ts'
import { answer, tell } from '../answers.ts'
import { type EngineName, type Figures, isObject } from '../messages.ts'
import { memory } from '../server/memory.ts'
import { stamp, toWish, word } from './words.ts'

interface Config {
  readonly engine: EngineName
  readonly channel: Readonly<Record<string, string | number | boolean>>
}

export type AgentCommand = { readonly do: 'memory' | 'cpu' | 'peak' | 'stop' }

const isConfig = (value: unknown): value is Config => isObject(value) && 'engine' in value && 'channel' in value
const isCommand = (value: unknown): value is AgentCommand => isObject(value) && 'do' in value

/** When the next piece is due, not when the last was said: an agent does not fall behind by itself. */
async function* say(text: string, { signal }: TurnContext): AsyncGenerator<string> {
  const { answer: number, pieces, every, stamped } = toWish(text)
  const start = performance.now()
  for (let at = 0; at < pieces && !signal.aborted; at++) {
    const wait = start + at * every - performance.now()
    if (wait > 0) await sleep(wait)
    yield stamped === 0 ? word(number, at) : `${stamp()} `.padEnd(stamped, '.')
  }
}

/** On one core, with all threads, where that can be had. */
function pin(): void {
  try {
    execFileSync('taskset', ['-apc', '0', String(process.pid)], { stdio: 'ignore' })
  } catch {
    console.error('taskset is missing: the server has all cores')
  }
}

let peak = 0

async function main(): Promise<void> {
  const config: unknown = JSON.parse(process.argv[2] ?? '')
  if (!isConfig(config)) return tell('not the config of an agent')
  pin()
  const agent = { name: 'soak', reply: (_: unknown, text: string, context: TurnContext) => say(text, context) }
  const noWorld = (): never => {
    throw new Error('there is no world here')
  }
  const host = createHost(
    {
      web: { engine: config.engine, limits: { connections: 'unlimited' } },
      channels: { websocket: { enabled: true, port: 0, websocketRequiresToken: false, ...config.channel } },
    },
    { ...parts, handlers: { ...parts.handlers, agent: createAgentHandler(noWorld, () => agent) } },
  )
  if ((await host.start()) !== 0) return tell(host.error ?? 'cannot start')
  setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 100).unref()
  answer(
    isCommand,
    async (command): Promise<Figures> => {
      if (command.do === 'memory') {
        peak = 0
        return memory()
      }
      if (command.do === 'stop') await host.free()
      const { user, system } = process.cpuUsage()
      return { cpu: user + system, peak }
    },
    (command) => command.do === 'stop',
  )
  tell({ port: host.listening[0]?.port ?? 0 })
}

main().catch((error: unknown) => tell(error instanceof Error ? error.message : String(error)))
