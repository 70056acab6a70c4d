import type { Workload } from '../workload.ts'

export default {
  title: 'fan-out to 10,000 receivers',
  load: { kind: 'lockstep', connections: 10_000, inFlight: 1, size: 64, path: '/fan' },
  toRaw: {},
  toWs: {},
} satisfies Workload
