/**
 * A server under test in a process of its own: `process.ts NAME [PROFILE [WORLD]]`, '' for none. It tells its port, then answers
 * questions, each with a list of numbers; a text in place of the port says why it cannot run.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isServerName, servers } from './index.ts'

const answers: Record<string, () => number[] | Promise<number[]>> = {
  /** Microseconds used since the start. */
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return [user + system]
  },
  /** Resident, JavaScript heap, and outside of it, in bytes; needs --expose-gc. */
  memory: async () => {
    // Finalizers run between collections, and what they free is there for the next one.
    for (let i = 0; i < 5; i++) {
      await gc?.({ type: 'major', execution: 'async' })
      await sleep(50)
    }
    const { rss, heapUsed, external } = process.memoryUsage()
    return [rss, heapUsed, external]
  },
}

const tell = (answer: number[] | string): void => void process.send?.(answer)

async function run(name: string, profile: string, world: string): Promise<void> {
  const start = isServerName(name) ? servers[name] : null
  if (start === null) throw new Error(`no server here: ${name}`)
  const port = await start(world === '' ? null : world)
  const stopProfile = profile === '' ? null : await (await import('./profile.ts')).startProfile(profile)
  process.on('disconnect', () => void Promise.resolve(stopProfile?.()).finally(() => process.exit()))
  process.on('message', (question) => void Promise.resolve(answers[String(question)]?.() ?? []).then(tell))
  tell([port])
}

const [name = '', profile = '', world = ''] = process.argv.slice(2)
run(name, profile, world).catch((error: unknown) => tell(error instanceof Error ? error.message : String(error)))
