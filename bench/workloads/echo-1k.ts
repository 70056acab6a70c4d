import type { Workload } from '../workload.ts'

export default {
  title: 'echo of 1 KB, 1 in flight',
  load: { kind: 'lockstep', connections: 50, inFlight: 1, size: 1024, path: '/echo' },
  toRaw: {},
  toPeer: {},
} satisfies Workload
