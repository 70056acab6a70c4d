import { cpus } from 'node:os'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { type WebHost, webSocketPublish } from '../../../lib/index.ts'
import type { Figures, Publishing } from '../messages.ts'
import { now, writeStamp } from '../stamp.ts'

/** Milliseconds in which cores had nothing to do, since the machine was started. */
const idle = (): number => cpus().reduce((sum, { times }) => sum + times.idle, 0)

/**
 * Publishes at times that are fixed before. One that is late is published at once, and says when it was due: a server that
 * stalls would else hide that by asking later what time it is.
 */
export async function publish(host: WebHost, { topic, size, every, seconds }: Publishing): Promise<Figures> {
  const message = Buffer.alloc(size, 'a')
  const count = Math.round((seconds * 1000) / every)
  const start = now()
  const before = { idle: idle(), cpu: process.cpuUsage() }
  let late = 0
  let number = 0
  // A server that cannot keep up ends as well.
  const end = start + seconds * 2000
  for (; number < count && now() < end; number++) {
    const due = start + number * every
    const wait = due - now()
    // Timers have whole milliseconds, and cut what is not.
    if (wait > 0) await sleep(Math.ceil(wait))
    else await turn()
    const sent = now()
    late = Math.max(late, sent - due)
    writeStamp(message, { number, due, sent })
    webSocketPublish(host.topics, topic, message, true)
  }
  const took = now() - start
  const { user, system } = process.cpuUsage(before.cpu)
  return {
    'published': number,
    late,
    'took': took / 1000,
    'server cores': (user + system) / 1000 / took,
    // Of this process, the clients and whatever else there is: a run beside which much else went on says little.
    'busy cores': cpus().length - (idle() - before.idle) / took,
  }
}
