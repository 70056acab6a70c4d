import { join } from 'node:path'
import { bundle, createFolder } from '../../bench/build.ts'

/** What is started. */
export interface Programs {
  readonly server: string
  readonly peers: string
}

/** Both programs as JavaScript: a loader would be in the memory that is measured. They are gone when this process exits. */
export async function buildPrograms(): Promise<Programs> {
  const folder = createFolder('fiberws-soak-')
  await bundle([join(import.meta.dirname, 'server.ts'), join(import.meta.dirname, 'peers.ts')], folder)
  return { server: join(folder, 'server.mjs'), peers: join(folder, 'peers.mjs') }
}
