import type { Workload } from '../workload.ts'

export default {
  title: 'fan-out of 64 B to 1,000 receivers, 16 in flight',
  load: { kind: 'lockstep', connections: 1000, inFlight: 16, size: 64, path: '/fan' },
  toRaw: { 'ours uws string': 1.05, 'ours uws view': 1.05 },
  toPeer: { 'ours uws string': 0.3, 'ours uws view': 0.3, 'ours node string': 0.8, 'ours node view': 0.8 },
} satisfies Workload
