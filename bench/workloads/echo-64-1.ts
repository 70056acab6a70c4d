import type { Workload } from '../workload.ts'

export default {
  title: 'echo of 64 B, 1 in flight',
  load: { kind: 'lockstep', connections: 50, inFlight: 1, size: 64, path: '/echo' },
  toRaw: { 'ours uws string': 1.1, 'ours uws view': 1.05 },
  toPeer: { 'ours uws string': 0.7, 'ours uws view': 0.7, 'ours node string': 1, 'ours node view': 1 },
} satisfies Workload
