import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { OneBotPlatform } from '../../include-types/onebot.ts'
import { ConfigError } from '../web/config/error.ts'
import type { OneBotBot } from '../web/config/onebot-settings.ts'
import { importModule } from '../web/modules/import.ts'
import type { PlatformFactory } from './onebot.ts'

type Options = Readonly<Record<string, unknown>>
type Maker = (bot: { readonly name: string; readonly selfId: number | null }, options: Options) => unknown

const isMaker = (value: unknown): value is Maker => typeof value === 'function'

/** What a platform cannot do without. */
const NEEDED = ['self', 'isOnline', 'listen', 'attach', 'send', 'group', 'user', 'message'] as const

const isPlatform = (value: unknown): value is OneBotPlatform =>
  typeof value === 'object' && value !== null && NEEDED.every((name) => typeof Reflect.get(value, name) === 'function')

/** What makes the platforms of a program's own. Throws ConfigError where there is none. */
export async function loadPlatform(file: string, options: Options): Promise<PlatformFactory> {
  const wrong = (why: string): ConfigError => new ConfigError([`${file}: ${why}`])
  if (!existsSync(file)) throw wrong('no such file, though onebot.platform names it')
  const module = await importModule(pathToFileURL(file).href).catch((error: unknown) => {
    throw wrong(error instanceof Error ? error.message : String(error))
  })
  const make: unknown = typeof module === 'object' && module !== null ? Reflect.get(module, 'default') : undefined
  if (!isMaker(make)) throw wrong('its default export is not a function (bot, options) that makes a platform')
  return async ({ handle, selfId }: OneBotBot) => {
    const platform = await make({ name: handle, selfId }, options)
    if (!isPlatform(platform)) throw wrong(`what it has made is no platform: it needs ${NEEDED.join(', ')} …`)
    return platform
  }
}
