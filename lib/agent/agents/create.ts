import type { Agent } from '../../../include-types/agent.ts'
import type { AgentSettings } from '../../web/config/channel-settings.ts'
import { createEcho } from './echo.ts'

/** Makes what answers. Throws, with a text for the user, where that cannot be. */
export async function createAgent(settings: AgentSettings): Promise<Agent> {
  if (settings.type === 'openai') return (await import('./openai.ts')).createOpenAi(settings)
  if (settings.type === 'module') return (await import('./module.ts')).loadAgent(settings)
  return createEcho(settings)
}
