import type { Workload } from '../workload.ts'

export default {
  title: 'files of 1 MB',
  load: { kind: 'files', connections: 50, path: '/1m.bin', size: 1 << 20 },
  toRaw: {},
  toPeer: { 'ours node files': 1.3 },
} satisfies Workload
