import type { Target } from '../server-process.ts'
import type { BusyLoad } from '../workload.ts'
import { openCalls } from './calls.ts'
import { openConnects } from './connect.ts'
import { openFiles } from './files.ts'
import { openLockstep } from './lockstep.ts'
import { openPaced } from './paced.ts'
import { openPosts } from './posts.ts'
import type { Load } from './sample.ts'
import { openStream } from './stream.ts'

export async function openLoad(server: Target, load: BusyLoad): Promise<Load> {
  if (load.kind === 'lockstep') return openLockstep(server, load)
  if (load.kind === 'paced') return openPaced(server, load)
  if (load.kind === 'files') return openFiles(server, load)
  if (load.kind === 'posts') return openPosts(server, load)
  if (load.kind === 'stream') return openStream(server, load)
  if (load.kind === 'calls') return openCalls(server, load)
  return openConnects(server, load)
}
