import { setTimeout as sleep } from 'node:timers/promises'
import type { Figures } from '../messages.ts'
import type { Readers } from './readers.ts'

/** The most events that there are in any window of time. */
export function busiest(times: readonly number[], window: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  let [most, first] = [0, 0]
  for (const [i, at] of sorted.entries()) {
    while ((sorted[first] ?? at) <= at - window) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}

/** Waits until the server has closed all, and tells when it did; those that are left after a while count as none. */
export async function closes(readers: Readers, seconds: number, window: number): Promise<Figures> {
  const { peers, goodbyes } = readers
  const late = new AbortController()
  const gone = Promise.all(peers.map(({ closed }) => closed))
  const limit = sleep(seconds * 1000, undefined, { signal: late.signal }).catch(() => {})
  await Promise.race([gone, limit])
  late.abort()
  const statuses: Record<string, number> = {}
  for (const { status } of goodbyes) statuses[status] = (statuses[status] ?? 0) + 1
  const times = goodbyes.map(({ at }) => at)
  return {
    ...statuses,
    closes: goodbyes.length,
    left: peers.filter(({ socket }) => !socket.destroyed).length,
    busiest: busiest(times, window),
    took: times.length < 2 ? 0 : ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000,
  }
}
