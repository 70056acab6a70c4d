import type { Workload } from '../workload.ts'

export default {
  title: 'RSS of an idle connection, bytes',
  load: { kind: 'idle', few: 2000, many: 10_000 },
  toRaw: { 'ours uws string': 600, 'ours uws view': 600 },
  toPeer: { 'ours uws string': 0.35, 'ours uws view': 0.35, 'ours node string': 1, 'ours node view': 1 },
} satisfies Workload
