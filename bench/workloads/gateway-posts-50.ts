import type { Workload } from '../workload.ts'

// Nobody hears them: what a post itself costs.
export default {
  title: 'gateway: posts of 50 clients',
  load: { kind: 'posts', members: 0, clients: 50, world: { accounts: 50, servers: 1, channels: 1, unread: 0 } },
  toRaw: {},
  toPeer: {},
} satisfies Workload
