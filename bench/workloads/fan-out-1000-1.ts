import type { Workload } from '../workload.ts'

// Each receiver is a system call, whatever server: its price is most of what is measured here.
export default {
  title: 'fan-out of 64 B to 1,000 receivers, 1 in flight',
  load: { kind: 'lockstep', connections: 1000, inFlight: 1, size: 64, path: '/fan' },
  toRaw: { 'ours uws string': 1.05, 'ours uws view': 1.05 },
  toPeer: { 'ours node string': 1, 'ours node view': 1 },
} satisfies Workload
