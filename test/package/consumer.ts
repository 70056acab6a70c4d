import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

export const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

/** Nothing here asks a network. */
const env: NodeJS.ProcessEnv = {
  ...process.env,
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
}

/** A copy is built: the checkout may be in use, and what is in its `dist` may be old. */
const NOT_COPIED = ['node_modules', '.git', 'dist', 'data', 'coverage']

interface Locked {
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly bin?: Readonly<Record<string, string>>
}

interface Lock {
  readonly packages: Readonly<Record<string, Locked>>
}

export function readJson<T>(file: string, is: (value: unknown) => value is T): T {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!is(value)) throw new Error(`${file} is not what it should be`)
  return value
}

const isLock = (value: unknown): value is Lock => typeof value === 'object' && value !== null && 'packages' in value

/** An empty folder into which the package was installed, as a user does it. */
export class Consumer {
  readonly #temp = mkdtempSync(join(tmpdir(), 'fiberws-package-'))
  readonly folder = join(this.#temp, 'consumer')
  /** Where the package is. */
  readonly installed = join(this.folder, 'node_modules/fiberws')

  async install(): Promise<void> {
    const tarball = await this.#pack()
    mkdirSync(this.folder)
    cpSync(join(this.#temp, tarball), join(this.folder, tarball))
    // Without "type", as npm makes it in an empty folder.
    this.write('package.json', JSON.stringify({ dependencies: { fiberws: `file:${tarball}` } }))
    this.write('package-lock.json', JSON.stringify(lockFor(tarball)))
    await run('npm', ['ci', '--ignore-scripts'], { cwd: this.folder, env }).catch((error: unknown) => {
      const said = error instanceof Error ? error.message : String(error)
      if (!said.includes('ENOTCACHED')) throw error
      throw new Error(`npm's cache lacks packages of package-lock.json: run 'npm ci --ignore-scripts' first\n${said}`, {
        cause: error,
      })
    })
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text)
  }

  remove(): void {
    rmSync(this.#temp, { recursive: true, force: true })
  }

  /** Builds and packs a copy of the checkout; returns the name of the tarball. */
  async #pack(): Promise<string> {
    const copy = join(this.#temp, 'copy')
    cpSync(root, copy, { recursive: true, filter: (path) => !NOT_COPIED.includes(basename(path)) })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    mkdirSync(join(copy, 'dist'))
    writeFileSync(join(copy, 'dist/stale.js'), '')
    const { stdout } = await run('npm', ['pack', '--pack-destination', this.#temp], { cwd: copy, env })
    return stdout.trim().split('\n').at(-1) ?? ''
  }
}

/** A lock file with the versions of ours: what `npm ci` of the repository has put into npm's cache is all it needs. */
function lockFor(tarball: string): unknown {
  const { '': own = {}, ...locked } = readJson(join(root, 'package-lock.json'), isLock).packages
  const file = `file:${tarball}`
  const production = Object.entries(locked).filter(([, { dev, devOptional }]) => !dev && !devOptional)
  return {
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { dependencies: { fiberws: file } },
      'node_modules/fiberws': { version: '0.0.0', resolved: file, dependencies: own.dependencies, bin: own.bin },
      ...Object.fromEntries(production),
    },
  }
}
