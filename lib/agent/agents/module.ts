import type { Agent } from '../../../include-types/agent.ts'
import type { AgentSettings } from '../../web/config/to-channel.ts'
export const loadAgent = (_s: Extract<AgentSettings, { type: 'module' }>): Agent => ({
  name: 'module',
  reply: () => '',
})
