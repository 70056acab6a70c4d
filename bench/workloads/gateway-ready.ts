import type { Workload } from '../workload.ts'

export default {
  title: 'gateway: READY of a member of 100 servers with 5,000 channels, 200 of them unread',
  load: {
    kind: 'connect',
    parallel: 1,
    world: { accounts: 1, servers: 100, channels: 50, unread: 200 },
  },
  toRaw: {},
  toPeer: {},
  // Microseconds: others wait for it.
  atMost: { 'ours uws gateway': 50_000, 'ours node gateway': 50_000 },
  servers: ['ours uws gateway', 'ours node gateway'],
} satisfies Workload
