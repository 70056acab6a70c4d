import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '../..')

/** What is started. */
export interface Programs {
  readonly server: string
  readonly peers: string
}

/** Both programs as JavaScript: a loader would be in the memory that is measured. They are gone when this process exits. */
export async function buildPrograms(): Promise<Programs> {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-soak-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  await build({
    entryPoints: [join(import.meta.dirname, 'server.ts'), join(import.meta.dirname, 'peers.ts')],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  })
  return { server: join(folder, 'server.mjs'), peers: join(folder, 'peers.mjs') }
}
