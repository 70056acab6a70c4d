import { Home } from './chat/home.ts'
import { createFilesHandler } from './files/handler.ts'
import { createGatewayHandler } from './gateway/handler.ts'
import { PerHost } from './web/per-host.ts'
import { rFailure } from './websock/log.ts'

/* Handlers that stand on the world. Loaded by the first route that names one: others need not wait for a database. */

/** The world of a host: one, whatever protocols it is seen through. */
export const homes = new PerHost(
  ({ settings: { data } }) => new Home(data.folder, data.full, (what, error) => rFailure('world', what, error)),
  (home) => home.close(),
)

export const filesHandler = createFilesHandler(homes)
export const gatewayHandler = createGatewayHandler(homes)
