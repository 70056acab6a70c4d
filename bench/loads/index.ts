import type { Target } from '../server-process.ts'
import type { BusyLoad } from '../workload.ts'
import { openConnects } from './connect.ts'
import { openLockstep } from './lockstep.ts'
import { openPaced } from './paced.ts'
import type { Load } from './sample.ts'

export const openLoad = async (server: Target, load: BusyLoad): Promise<Load> =>
  load.kind === 'lockstep'
    ? openLockstep(server, load)
    : load.kind === 'paced'
      ? openPaced(server, load)
      : openConnects(server, load)
