import { join } from 'node:path'
import { bundle, createFolder } from '../../bench/build.ts'

/** What is started. */
export interface Programs {
  readonly server: string
  readonly peers: string
  /** Of a gateway: those who are cut, and the others. */
  readonly members: string
  readonly others: string
  readonly agent: string
}

/** All programs as JavaScript: a loader would be in the memory that is measured. They are gone when this process exits. */
export async function buildPrograms(): Promise<Programs> {
  const folder = createFolder('fiberws-soak-')
  const sources = ['server.ts', 'peers.ts', 'cut/members.ts', 'cut/others.ts', 'agent/server.ts']
  await bundle(
    sources.map((one) => join(import.meta.dirname, one)),
    folder,
  )
  const [server = '', peers = '', members = '', others = '', agent = ''] = sources.map((one) =>
    join(folder, one.replace('.ts', '.mjs')),
  )
  return { server, peers, members, others, agent }
}
