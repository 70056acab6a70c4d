import type { Workload } from '../workload.ts'

export default {
  title: 'connect, upgrade and reset, 50 at a time',
  load: { kind: 'connect', parallel: 50 },
  toRaw: {},
  toPeer: {},
} satisfies Workload
