import type { Workload } from '../workload.ts'

export default {
  kind: 'messages',
  title: 'echo of 1 KB, 1 in flight',
  load: { connections: 50, inFlight: 1, size: 1024, path: '/echo' },
  toRaw: {},
  toWs: {},
} satisfies Workload
