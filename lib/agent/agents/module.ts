import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Agent, ReplyFunction } from '../../../include-types/agent.ts'
import type { AgentSettings } from '../../web/config/channel-settings.ts'
import { ConfigError } from '../../web/config/error.ts'
import { importModule } from '../../web/modules/import.ts'
import { rFailure } from '../../websock/log.ts'

type Settings = Extract<AgentSettings, { readonly type: 'module' }>

const WANTED = 'an agent, a function (session, text, context) that answers, or a function (options) that makes an agent'

/** The agent of a program. Throws ConfigError where there is none. */
export async function loadAgent({ file, options }: Settings): Promise<Agent> {
  if (!existsSync(file)) throw new ConfigError([`${file}: no such file, though an agent names it as its module`])
  const module = await importModule(pathToFileURL(file).href).catch((error: unknown) => {
    throw new ConfigError([`${file}: ${error instanceof Error ? error.message : String(error)}`])
  })
  const given: unknown = typeof module === 'object' && module !== null ? Reflect.get(module, 'default') : undefined
  const agent = isFunction(given) && given.length <= 1 ? await make(given, options, file) : given
  if (isAgent(agent)) return guarded(agent)
  if (isReply(given) && given.length !== 1) return guarded({ name: 'module', reply: given })
  throw new ConfigError([`${file}: its default export is not ${WANTED}`])
}

const isAgent = (value: unknown): value is Agent =>
  typeof value === 'object' && value !== null && 'reply' in value && typeof value.reply === 'function'

const isFunction = (value: unknown): value is (options: Settings['options']) => unknown => typeof value === 'function'
const isReply = (value: unknown): value is ReplyFunction => typeof value === 'function'

/** Who answers is given three things; who takes one at most, may make an agent. */
async function make(factory: (options: Settings['options']) => unknown, options: Settings['options'], file: string) {
  try {
    return await factory(options)
  } catch (error) {
    throw new ConfigError([`${file}: ${error instanceof Error ? error.message : String(error)}`])
  }
}

/** Agents of programs that run: as long as there is one, a promise that nobody has waited for does not end the process. */
let running = 0
const forgive = (error: unknown): void =>
  rFailure('agent', 'A promise of a module was rejected, and nobody waited for it', error)

function guarded(agent: Agent): Agent {
  return {
    name: typeof agent.name === 'string' ? agent.name : 'module',
    start: async () => {
      await agent.start?.()
      if (running++ === 0) process.on('unhandledRejection', forgive)
    },
    reply: (session, text, context) => agent.reply(session, text, context),
    sessionClosed: (session) => agent.sessionClosed?.(session),
    stop: async () => {
      if (--running === 0) process.off('unhandledRejection', forgive)
      await agent.stop?.()
    },
  }
}
