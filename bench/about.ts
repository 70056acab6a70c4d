import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** What figures depend on. */
export interface About {
  readonly date: string
  readonly command: string
  /** Short hash; with a + where files differ from it. */
  readonly commit: string
  readonly node: string
  readonly packages: Readonly<Record<string, string>>
  readonly machine: string
  readonly kernel: string
}

function versionOf(name: string): string {
  const json: unknown = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
  return typeof json === 'object' && json !== null && 'version' in json ? String(json.version) : ''
}

function toCommit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: 'pipe' })
    const changed = git('status', '--porcelain', '--', 'lib', 'bench') === '' ? '' : '+'
    return git('rev-parse', '--short', 'HEAD').trim() + changed
  } catch {
    return 'unknown'
  }
}

export const toAbout = (args: readonly string[]): About => ({
  date: new Date().toISOString(),
  command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
  commit: toCommit(),
  node: process.version,
  packages: { 'uWebSockets.js (uws-pack)': versionOf('uWebSockets.js'), 'ws': versionOf('ws') },
  machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`,
  kernel: `${process.platform} ${release()}`,
})

export function* toAboutLines(about: About): Iterable<string> {
  yield about.command
  yield `commit ${about.commit}, node ${about.node}, ${Object.entries(about.packages)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}`
  yield `${about.machine}, ${about.kernel}`
}
