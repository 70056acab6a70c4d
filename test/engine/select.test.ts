import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { selectEngine } from '../../lib/engine/select.ts'
import { Command } from '../support/command.ts'
import { text } from '../support/frames.ts'
import { RawClient } from '../support/raw.ts'

const root = join(import.meta.dirname, '../..')
const installed = join(root, 'node_modules/uWebSockets.js')
const { platform, arch, versions } = process
/** Whether the package has been built for this machine and this version of Node. It must load then. */
const hasBinary = existsSync(join(installed, `dist/bin/uws_${platform}_${arch}_${versions.modules}.node`))

function packageVersion(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : ''
}

/** As on a machine where the package was not installed. */
const UNRESOLVABLE = `import { register } from 'node:module'
register('data:text/javascript,' + encodeURIComponent(\`
  export const resolve = (name, context, next) => {
    if (name !== 'uWebSockets.js') return next(name, context)
    throw Object.assign(new Error("Cannot find package 'uWebSockets.js'"), { code: 'ERR_MODULE_NOT_FOUND' })
  }
\`))`
/** As where it was, and has no binary that fits. */
const UNLOADABLE = `const { dlopen } = process
process.dlopen = (module, file, ...rest) => {
  if (file.includes('uws_')) throw new Error(file + ': cannot open shared object file')
  return dlopen(module, file, ...rest)
}`

/** The command serving the echo sample, with code that runs before it. */
class Serving extends Command {
  constructor(engine: string, before = '') {
    const hook = `data:text/javascript,${encodeURIComponent(before)}`
    super(['samples/echo/web.json5', '--listen', '127.0.0.1:0', '--engine', engine], {}, ['--import', hook])
  }

  /** What it has said that names the native engine. */
  get about(): string[] {
    return `${this.out}\n${this.err}`.split('\n').filter((line) => /uws|uWebSockets|uWS/.test(line))
  }
}

async function echoes(port: number): Promise<void> {
  const client = await RawClient.open(port)
  client.send(text('hello'))
  expect((await client.frame()).payload.toString()).toBe('hello')
  client.destroy()
}

describe('the choice of the engine', () => {
  it('auto is uws where the package has a binary for this platform and ABI, and says nothing about it', async () => {
    expect(existsSync(join(installed, 'package.json'))).toBe(true)
    const { engine, notice } = await selectEngine('auto')
    expect(engine.name).toBe(hasBinary ? 'uws' : 'node')
    expect(notice === null).toBe(hasBinary)
  })

  it('uws is uws there, and an error that says what to do elsewhere', async () => {
    if (hasBinary) {
      const { engine, notice } = await selectEngine('uws')
      expect([engine.name, engine.version, notice]).toEqual([
        'uws',
        `uWebSockets.js ${packageVersion(installed)}`,
        null,
      ])
    } else {
      await expect(selectEngine('uws')).rejects.toThrow(/set engine to 'auto' or 'node'$/)
    }
  })

  it('node is node, without a notice', async () => {
    const { engine, notice } = await selectEngine('node')
    expect([engine.name, engine.version, notice]).toEqual(['node', process.version, null])
  })
})

describe.each([
  ['not installed', UNRESOLVABLE],
  ['without a binary that fits', UNLOADABLE],
])('trap 74: uWebSockets.js is %s', (_situation, hide) => {
  it('auto serves on the node engine, with exactly one line about it', async () => {
    const command = new Serving('auto', hide)
    await echoes(await command.port())
    command.child.kill('SIGTERM')
    expect(await command.exit).toBe(0)
    expect(command.out).toContain(`node engine ${process.version}`)
    expect(command.about).toEqual([
      expect.stringMatching(/^web info cannot load uWebSockets\.js, using the node engine: /),
    ])
    expect(command.err).toBe('')
  })

  it('uws exits with 1 and one sentence that says what to do', async () => {
    const command = new Serving('uws', hide)
    expect(await command.exit).toBe(1)
    expect(command.out).toBe('')
    expect(command.err).toMatch(/^Cannot load uWebSockets\.js: .+[^.]; set engine to 'auto' or 'node'\n$/)
  })
})

describe('the start line', () => {
  it('names the engine that auto has chosen, and its version', async () => {
    const command = new Serving('auto')
    await echoes(await command.port())
    const chosen = hasBinary
      ? `uws engine uWebSockets.js ${packageVersion(installed)}`
      : `node engine ${process.version}`
    expect(command.out.split('\n')).toContain(`fiberws ${packageVersion(root)}, ${chosen}`)
    if (hasBinary) expect(command.about.length + command.err.length).toBe(1)
  })

  it('names the node engine and its version', async () => {
    const command = new Serving('node')
    await echoes(await command.port())
    expect(command.out.split('\n')[0]).toBe(`fiberws ${packageVersion(root)}, node engine ${process.version}`)
    expect(command.about).toEqual([])
  })
})
