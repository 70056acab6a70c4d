import type { Home } from '../chat/home.ts'
import { checkFolder } from '../chat/store/folder.ts'
import type { Handler, HandlerFactory } from '../web/handler.ts'
import { PerHost } from '../web/per-host.ts'
import { toError } from './api/errors.ts'
import { Gateway } from './gateway.ts'
import { Passwords } from './passwords.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** The Together gateway behind a route: its socket at the route itself, its HTTP API beside it. */
export function createGatewayHandler(homes: PerHost<Home>, passwords = new Passwords()): HandlerFactory {
  const gateways = new PerHost(
    (host) => new Gateway(homes.of(host), host, passwords),
    (gateway) => gateway.close(),
  )
  return ({ segments }, host): Handler => {
    checkFolder(host.settings.data.folder)
    return {
      methods: segments === null ? ['GET'] : METHODS,
      upgrades: segments === null,
      answersOptions: segments !== null,
      toError,
      open: async () => gateways.of(host).open(),
      find: () => {
        const { socket, api } = gateways.of(host)
        return segments === null ? socket : api
      },
    }
  }
}
