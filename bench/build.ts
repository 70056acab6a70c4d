import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { createTemporary } from './folder.ts'

const root = join(import.meta.dirname, '..')

/** A folder that finds the packages of this checkout, and is gone when this process exits. */
export function createFolder(prefix: string): string {
  const folder = createTemporary(prefix)
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
 * @returns the program to start; `fill.mjs` beside it fills worlds for it. Throws git's own reason.
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
    const own = join(folder, 'bench/servers')
    if (!existsSync(join(folder, 'lib/gateway'))) omitGateway(own, commit)
    if (!existsSync(join(folder, 'lib/agent/handler.ts')))
      omit(join(own, 'ours-agent.ts'), `${commit} has no agent channel`)
  }
  const outdir = join(folder, 'built')
  const servers = join(commit === null ? root : folder, 'bench/servers')
  await bundle([join(servers, 'process.ts'), join(servers, 'fill.ts')], outdir)
  return join(outdir, 'process.mjs')
}

/** Of a commit that had no gateway the others can be measured. */
function omitGateway(servers: string, commit: string): void {
  const text = `${commit} has no gateway`
  omit(join(servers, 'ours-gateway.ts'), text)
  writeFileSync(join(servers, 'fill.ts'), `console.error(${JSON.stringify(text)})\nprocess.exit(1)`)
}

/** A server that says why there is none. */
const omit = (file: string, text: string): void => writeFileSync(file, `throw new Error(${JSON.stringify(text)})`)
