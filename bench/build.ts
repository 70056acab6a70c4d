import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')

/** A folder that finds the packages of this checkout, and is gone when this process exits. */
export function createFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Programs as JavaScript, `.mjs` in a folder; packages are left outside. */
export async function bundle(entryPoints: string[], outdir: string): Promise<void> {
  await build({
    entryPoints,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  })
}

/**
 * The servers as JavaScript, as the package has it: a loader at run time would add costs of its own. They are gone when
 * this process exits.
 * @param commit to take `lib` from; null: as it is. The harness and the packages are always those of this checkout.
 * @returns the program to start. Throws git's own reason.
 */
export async function buildServers(commit: string | null): Promise<string> {
  const folder = createFolder('fiberws-bench-')
  if (commit !== null) {
    const files = execFileSync('git', ['-C', root, 'archive', commit, 'lib', 'include-types'], {
      maxBuffer: 1 << 28,
      stdio: 'pipe',
    })
    execFileSync('tar', ['-x', '-C', folder], { input: files })
    cpSync(join(root, 'bench/servers'), join(folder, 'bench/servers'), { recursive: true })
  }
  const outdir = join(folder, 'built')
  await bundle([join(commit === null ? root : folder, 'bench/servers/process.ts')], outdir)
  return join(outdir, 'process.mjs')
}
