import { parseArgs } from 'node:util'
import { corpus, freshSeed, fuzz, replay, targets } from './fuzz.ts'

const HELP = `npm run fuzz -- [options]

  --only TARGET   one of ${targets.map(({ name }) => name).join(', ')}; default: all
  --count N       inputs for each; default: what the target is to stand, up to a million
  --seed N        to have the same inputs again; default: a fresh one, which is printed
  --from N        begins at that input of the seed`

const { values } = readOptions()

function readOptions() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        count: { type: 'string' },
        from: { type: 'string', default: '0' },
        only: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return process.exit(2)
  }
}

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
  if (values.help) return console.log(HELP)
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
