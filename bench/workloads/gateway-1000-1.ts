import type { Workload } from '../workload.ts'

export default {
  title: 'gateway: a message to 1,000 members, 1 post in flight',
  load: {
    kind: 'posts',
    members: 1000,
    clients: 1,
    world: { accounts: 1000, servers: 1, channels: 1, unread: 0 },
  },
  toRaw: { 'ours uws gateway': 1.3 },
  toPeer: {},
} satisfies Workload
