import type { Workload } from '../workload.ts'

export default {
  title: 'files of 1 KB',
  load: { kind: 'files', connections: 50, path: '/1k.html', size: 1024 },
  toRaw: { 'ours uws files': 1.3 },
  toPeer: { 'ours node files': 1.3 },
} satisfies Workload
