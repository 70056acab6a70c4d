import { selectEngine } from './engine/select.ts'
import { createObservatory } from './observe/observatory.ts'
import { actionHandler } from './web/handlers/action.ts'
import { fileHandler } from './web/handlers/file.ts'
import { observeHandler } from './web/handlers/observe.ts'
import type { Parts } from './web/preparation.ts'

/** Where the parts meet: what the `handler` of a route may be. A new protocol is a folder and a row here. */
export const parts: Parts = {
  handlers: {
    action: actionHandler,
    file: fileHandler,
    observe: observeHandler,
    agent: async (route, host) => (await import('./agents.ts')).agentHandler(route, host),
    onebot: async (route, host) => (await import('./onebots.ts')).oneBotHandler(route, host),
    files: async (route, host) => (await import('./protocols.ts')).filesHandler(route, host),
    gateway: async (route, host) => (await import('./protocols.ts')).gatewayHandler(route, host),
  },
  selectEngine,
  createObservatory,
}
