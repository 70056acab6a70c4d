import type { Config } from '../../include-types/web.ts'
import { R_ERR_CANT_OPEN } from '../websock/constants.ts'
import { readConfig } from './config/load.ts'
import type { Host } from './host.ts'
import { describe } from './listening.ts'

/** Goes on with another config: 0, or -28 with `error` set. */
export async function reloadHost(host: Host, config: string | Config): Promise<number> {
  try {
    return await host.reload(readConfig(config))
  } catch (error) {
    host.error = describe(error)
    return R_ERR_CANT_OPEN
  }
}
