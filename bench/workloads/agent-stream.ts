import type { Workload } from '../workload.ts'

export default {
  title: 'agent: answers of 50 deltas, one each 20 ms, on 100 connections',
  load: { kind: 'stream', connections: 100, deltas: 50, every: 20 },
  toRaw: {},
  toPeer: { 'ours uws agent': 0.2, 'ours node agent': 0.2 },
} satisfies Workload
