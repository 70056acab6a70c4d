import { createAgentHandler } from './agent/handler.ts'

/* Agents need no world unless they join it: a database is loaded then. */

export const agentHandler = createAgentHandler(async () => (await import('./protocols.ts')).homes)
