import type { Workload } from '../workload.ts'

export default {
  title: 'onebot: get_group_member_info, 16 in flight on 50 connections',
  load: { kind: 'calls', connections: 50, inFlight: 16 },
  toRaw: {},
  toPeer: { 'ours uws bots': 0.333 },
} satisfies Workload
