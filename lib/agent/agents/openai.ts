import type { Agent } from '../../../include-types/agent.ts'
import type { AgentSettings } from '../../web/config/to-channel.ts'
export const createOpenAi = (_s: Extract<AgentSettings, { type: 'openai' }>): Agent => ({
  name: 'openai',
  reply: () => '',
})
