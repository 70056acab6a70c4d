/** The command of the soak: `--help` says what it can do. Each scenario is a file, and so is each engine's turn a process. */
import { writeFileSync } from 'node:fs'
import { toAbout, toAboutLines } from '../../bench/about.ts'
import { buildPrograms } from './build.ts'
import { help, parseOptions } from './options.ts'
import { hasMissed, type Report, type Result, toLines } from './report.ts'
import { scenarios } from './scenarios/index.ts'

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args)
  if (options.help) {
    console.log(help)
    return 0
  }
  const about = { ...toAbout(args), command: ['tsx test/soak/run.ts', ...args].join(' ') }
  for (const line of toAboutLines(about)) console.log(line)
  const programs = await buildPrograms()
  const results: Result[] = []
  for (const scenario of options.scenarios) {
    for (const engine of options.engines) {
      const progress = (text: string): void => console.error(`${scenario} on ${engine}, ${text}`)
      const outcome = await scenarios[scenario].run({ engine, wishes: options.wishes, programs, progress })
      results.push({ scenario, engine, ...outcome })
    }
  }
  console.log()
  for (const line of toLines(results)) console.log(line)
  const report: Report = { about, wishes: options.wishes, results }
  if (options.json !== null) writeFileSync(options.json, JSON.stringify(report, null, 2))
  return results.some(hasMissed) ? 1 : 0
}

// So that what was built is removed: the processes go with this one, too.
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143))
try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  console.error(
    `${error instanceof Error ? error.message : String(error)}\ntsx test/soak/run.ts --help says what it can do.`,
  )
  process.exit(2)
}
