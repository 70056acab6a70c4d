import type { Workload } from '../workload.ts'

export default {
  title: 'echo of 64 B, 16 in flight',
  load: { kind: 'lockstep', connections: 50, inFlight: 16, size: 64, path: '/echo' },
  toRaw: { 'ours uws string': 1.15, 'ours uws view': 1.1 },
  toPeer: { 'ours uws string': 0.32, 'ours uws view': 0.32, 'ours node string': 0.5, 'ours node view': 0.5 },
} satisfies Workload
