import type { Workload } from '../workload.ts'

export default {
  title: 'echo of 64 KB, 1 in flight',
  load: { kind: 'lockstep', connections: 20, inFlight: 1, size: 65_536, path: '/echo' },
  toRaw: { 'ours uws view': 1.05 },
  toPeer: { 'ours uws view': 0.15, 'ours node view': 0.6 },
} satisfies Workload
