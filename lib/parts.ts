import { Home } from './chat/home.ts'
import { selectEngine } from './engine/select.ts'
import { createGatewayHandler } from './gateway/handler.ts'
import { createObservatory } from './observe/observatory.ts'
import { actionHandler } from './web/handlers/action.ts'
import { fileHandler } from './web/handlers/file.ts'
import { observeHandler } from './web/handlers/observe.ts'
import { PerHost } from './web/per-host.ts'
import type { Parts } from './web/preparation.ts'
import { rFailure } from './websock/log.ts'

/** The world of a host: one, whatever protocols it is seen through. */
const homes = new PerHost(
  ({ settings: { data } }) => new Home(data.folder, data.full, (what, error) => rFailure('world', what, error)),
  (home) => home.close(),
)

/** Where the parts meet: what the `handler` of a route may be. A new protocol is a folder and a row here. */
export const parts: Parts = {
  handlers: {
    action: actionHandler,
    file: fileHandler,
    observe: observeHandler,
    gateway: createGatewayHandler(homes),
  },
  selectEngine,
  createObservatory,
}
