import type { Workload } from '../workload.ts'

/** As fast as the agent can say them: what a delta costs where the price of waking up for it is shared. */
export default {
  title: 'agent: answers of 50 deltas, as fast as they can be said, on 100 connections',
  load: { kind: 'stream', connections: 100, deltas: 50, every: 0 },
  toRaw: {},
  toPeer: { 'ours uws agent': 0.2, 'ours node agent': 0.2 },
} satisfies Workload
