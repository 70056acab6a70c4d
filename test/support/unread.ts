import { type Client, field, listOf, readyOf } from './gateway.ts'

/** What READY says of one channel: unread messages, mentions. */
export const countsIn = (client: Client, channel: string): unknown[] => {
  const ready = readyOf(client)
  const of = (list: string) => listOf(field(ready, list)).find((one) => field(one, 'channel_id') === channel)
  return [field(of('unread_counts'), 'unread_count') ?? 0, field(of('mention_counts'), 'count') ?? 0]
}
