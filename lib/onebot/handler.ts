import type { Home } from '../chat/home.ts'
import { checkFolder } from '../chat/store/folder.ts'
import { identityOf } from '../web/config/onebot-identity.ts'
import type { RouteSettings } from '../web/config/settings.ts'
import type { Handler, HandlerFactory } from '../web/handler.ts'
import type { Host } from '../web/host.ts'
import { PerHost } from '../web/per-host.ts'
import { OneBot, type PlatformFactory } from './onebot.ts'
import { loadPlatform } from './platform.ts'
import type { Dial } from './transport/link.ts'
import { toError } from './transport/http.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** What makes platforms in place of the world, once it is loaded; null: the world. */
class Maker {
  create: PlatformFactory | null = null

  /** Before the host runs: what is wrong keeps it from starting. */
  async prepare({ settings: { onebot, data } }: Host): Promise<void> {
    if (onebot.platform === null) checkFolder(data.folder)
    else this.create ??= await loadPlatform(onebot.platform, onebot.platformOptions)
  }
}

/** A way to a bot: behind a route, or one that the bot takes itself. */
export function createOneBotHandler(homes: PerHost<Home>, dial: Dial): HandlerFactory {
  const makers = new PerHost(
    () => new Maker(),
    () => {},
  )
  const bots = new PerHost(
    (host) => new OneBot(host, makers.of(host).create ?? homes.of(host), dial),
    (onebot) => onebot.close(),
  )
  return async ({ onebot: settings }: RouteSettings, host): Promise<Handler> => {
    if (settings === null) throw new Error('The route has no endpoint')
    await makers.of(host).prepare(host)
    const key = identityOf(settings)
    const handler: Handler = {
      methods: METHODS,
      upgrades: true,
      checksOrigin: true,
      answersOptions: true,
      toError,
      open: () => bots.of(host).open(settings),
      begin: () => bots.of(host).begin(settings, handler),
      end: () => bots.of(host).end(settings, handler),
      find: () => bots.of(host).server(key)?.target ?? null,
    }
    return handler
  }
}
