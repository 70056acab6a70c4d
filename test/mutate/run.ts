/**
 * Replays the list of mutations: each must make its test fail. Works on a copy, so the checkout stays as it is.
 * `npm run mutate [-- WORD]` takes those whose trap or file contains WORD.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Mutation, mutations } from './mutations.ts'

const root = resolve(import.meta.dirname, '../..')
const COPIED = [
  'include-types',
  'lib',
  'samples',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vitest.config.ts',
  'test',
]
const LIMIT_MS = 120_000

function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-mutate-'))
  for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Whether the tests of a mutation pass in a folder. One that hangs has failed. */
function passes(folder: string, { test, name }: Mutation): Promise<boolean> {
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    test,
    '--bail=1',
    '--testTimeout=4000',
    ...(name ? ['-t', name] : []),
  ]
  const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore', detached: true })
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), LIMIT_MS)
  return new Promise((done) => {
    child.once('close', (code) => {
      clearTimeout(timer)
      done(code === 0)
    })
  })
}

async function kills(folder: string, mutation: Mutation): Promise<boolean> {
  const path = join(folder, mutation.file)
  const code = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    code.replace(mutation.from, () => mutation.to),
  )
  try {
    return !(await passes(folder, mutation))
  } finally {
    writeFileSync(path, code)
  }
}

async function main(): Promise<number> {
  const word = process.argv[2] ?? ''
  const chosen = mutations.filter(({ trap, file }) => `${trap} ${file}`.includes(word))
  const stale = chosen.filter(({ file, from }) => readFileSync(join(root, file), 'utf8').split(from).length !== 2)
  for (const { trap, file } of stale) console.log(`STALE     ${trap}: its line is not in ${file} exactly once`)
  const queue = chosen.filter((mutation) => !stale.includes(mutation))

  // What fails unmutated proves nothing.
  const base = copy()
  const suites = new Map(queue.map((mutation) => [`${mutation.test} ${mutation.name ?? ''}`, mutation]))
  const broken = new Set<string>()
  for (const [key, mutation] of suites) if (!(await passes(base, mutation))) broken.add(key)
  for (const key of broken) console.log(`BROKEN    ${key}: fails without any mutation`)

  let survived = 0
  let done = 0
  const worker = async (folder: string): Promise<void> => {
    for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
      const killed = await kills(folder, mutation)
      if (!killed) survived++
      console.log(`${String(++done).padStart(3)} ${killed ? 'killed  ' : 'SURVIVED'}  ${mutation.trap}`)
    }
    rmSync(folder, { recursive: true })
  }
  const total = queue.length
  await Promise.all([base, ...Array.from({ length: Math.max(0, cpus().length - 1) }, copy)].map(worker))
  console.log(
    `${total} mutations, ${total - survived} killed, ${survived} survived, ${stale.length} stale, ${broken.size} broken`,
  )
  return survived + stale.length + broken.size === 0 ? 0 : 1
}

process.exitCode = await main()
