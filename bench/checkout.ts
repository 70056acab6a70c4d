import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Base } from './turns.ts'

const root = join(import.meta.dirname, '..')

/**
 * The files of another commit, to measure against, with the harness and the packages of this one. They are gone when the
 * process exits. Throws git's own reason.
 */
export function checkOut(name: string): Base {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-base-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const files = execFileSync('git', ['-C', root, 'archive', name, 'lib', 'include-types', 'package.json'], {
    maxBuffer: 1 << 28,
    stdio: 'pipe',
  })
  execFileSync('tar', ['-x', '-C', folder], { input: files })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const bench = join(folder, 'bench')
  cpSync(import.meta.dirname, bench, { recursive: true, filter: (file) => !file.endsWith('results') })
  return { name, bench }
}
