import type { Workload } from '../workload.ts'

export default {
  title: 'gateway: messages to 10,000 members, 16 posts in flight',
  load: {
    kind: 'posts',
    members: 10_000,
    clients: 16,
    world: { accounts: 10_000, servers: 1, channels: 1, unread: 0 },
  },
  toRaw: {},
  toPeer: {},
} satisfies Workload
