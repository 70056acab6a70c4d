import { parseArgs } from 'node:util'
import { corpus, freshSeed, fuzz, replay, targets } from './fuzz.ts'

/** `npm run fuzz -- [--seed N] [--count N] [--from N] [--only <target>]` */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string' },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
})

/** Number of failures: one does not keep the rest from being tried. */
let failures = 0

async function attempt(what: () => Promise<unknown>): Promise<void> {
  try {
    await what()
  } catch (error) {
    failures++
    console.error(error instanceof Error ? error.message : error)
  }
}

async function main(): Promise<void> {
  const seed = values.seed === undefined ? freshSeed() : Number(values.seed)
  const from = Number(values.from)
  const chosen = targets.filter(({ name }) => values.only === undefined || values.only === name)
  if (chosen.length === 0) throw new Error(`no such target: ${values.only}`)
  console.log(`fuzz: seed ${seed}, ${chosen.map(({ name }) => name).join(', ')}`)

  for (const entry of corpus().filter(({ target }) => chosen.includes(target))) {
    console.log(`corpus: ${entry.name} on ${entry.target.name}`)
    await attempt(() => replay(entry))
  }
  for (const target of chosen) {
    const count = values.count === undefined ? target.full : Number(values.count)
    await attempt(() => fuzz(target, { seed, from, count }, console.log))
  }
  process.exitCode = failures === 0 ? 0 : 1
}

await main()
