import type { Workload } from '../workload.ts'

export default {
  title: 'files of 64 KB',
  load: { kind: 'files', connections: 50, path: '/64k.js', size: 65_536 },
  toRaw: { 'ours uws files': 1.3 },
  toPeer: { 'ours node files': 1.3 },
} satisfies Workload
