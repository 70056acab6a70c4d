import type { Workload } from '../workload.ts'

// Sixteen frames leave in one write here: what a post costs by itself, the disk included, is a larger part. Without a bar.
export default {
  title: 'gateway: messages to 1,000 members, 16 posts in flight',
  load: {
    kind: 'posts',
    members: 1000,
    clients: 16,
    world: { accounts: 1000, servers: 1, channels: 1, unread: 0 },
  },
  toRaw: {},
  toPeer: {},
} satisfies Workload
