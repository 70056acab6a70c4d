import type { Workload } from '../workload.ts'

// Nobody hears them: what a post itself costs. With one in flight each is a transaction, and a write to the disk, of its own.
export default {
  title: 'gateway: posts of one client',
  load: { kind: 'posts', members: 0, clients: 1, world: { accounts: 1, servers: 1, channels: 1, unread: 0 } },
  toRaw: {},
  toPeer: {},
} satisfies Workload
