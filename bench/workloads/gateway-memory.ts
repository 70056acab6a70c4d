import type { Workload } from '../workload.ts'

export default {
  title: 'gateway: RSS of an idle connection of a member of five servers, bytes',
  load: {
    kind: 'idle',
    few: 2000,
    many: 10_000,
    world: { accounts: 10_000, servers: 5, channels: 1, unread: 0 },
  },
  toRaw: { 'ours uws gateway': 4096 },
  toPeer: {},
  servers: ['raw gateway', 'ours uws gateway', 'ours node gateway'],
} satisfies Workload
