import type { Workload } from '../workload.ts'

export default {
  title: 'echo of 64 B at 10,000 a second, 100 connections',
  load: { kind: 'paced', connections: 100, rate: 10_000, size: 64 },
  toRaw: {},
  toPeer: {},
} satisfies Workload
