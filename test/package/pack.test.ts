import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selectEngine } from '../../lib/engine/select.ts'
import { text } from '../support/frames.ts'
import { RawClient } from '../support/raw.ts'
import { Consumer, readJson, root } from './consumer.ts'
import { Started } from './process.ts'

/*
 * The package as a user has it: built, packed, installed into an empty folder, imported by plain node, compiled against,
 * started.
 */

const consumer = new Consumer()
const { folder, installed } = consumer

beforeAll(() => consumer.install(), 300_000)
afterAll(() => consumer.remove())

const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
const read = (file: string): string => readFileSync(file, 'utf8')

interface Manifest {
  readonly version: string
  readonly exports: { readonly '.': Readonly<Record<string, string>> }
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
}
const isManifest = (value: unknown): value is Manifest =>
  typeof value === 'object' && value !== null && 'exports' in value && 'bin' in value
const manifest = (): Manifest => readJson(join(installed, 'package.json'), isManifest)

describe('what is inside', () => {
  it('the built program, its sources, and the documents; no test, bench or secret', () => {
    expect(readdirSync(installed).toSorted()).toEqual(
      [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'SECURITY.md',
        'config.schema.json',
        'dist',
        'docs',
        'include-types',
        'lib',
        'package.json',
        'samples',
      ].toSorted(),
    )
    // What the guide names.
    expect(readdirSync(join(installed, 'samples'))).toEqual(['deploy'])
    const names = filesBelow(installed).filter((name) => !name.includes(join('samples', 'deploy')))
    expect(names.length).toBeGreaterThan(100)
    expect(names.filter((name) => !/\.(?:ts|js|map|md)$|LICENSE$|(?:package|schema)\.json$/.test(name))).toEqual([])
    expect(names.filter((name) => /\.test\.|stale/.test(name))).toEqual([])
  })

  it('every file that package.json names', () => {
    const { exports, bin } = manifest()
    const named = [...Object.values(exports['.']), ...Object.values(bin)]
    expect(named.length).toBe(3)
    expect(named.filter((file) => !existsSync(join(installed, file)))).toEqual([])
  })

  it('every file that a document links to', () => {
    const documents = filesBelow(installed).filter((file) => file.endsWith('.md'))
    const links = documents.flatMap((file) =>
      Array.from(read(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g), ([, to = '']) => join(dirname(file), to)),
    )
    expect(links.length).toBeGreaterThan(3)
    expect(links.map(normalize).filter((to) => !to.startsWith(installed) || !existsSync(to))).toEqual([])
  })

  it('the source of every source map', () => {
    const maps = filesBelow(installed).filter((file) => file.endsWith('.map'))
    const missing = maps.flatMap((file) => {
      const map: unknown = JSON.parse(read(file))
      const sources = typeof map === 'object' && map !== null && 'sources' in map ? map.sources : null
      const list = Array.isArray(sources) ? sources.map(String) : ['none']
      return list.filter((source) => !existsSync(join(dirname(file), source)))
    })
    expect(maps.length).toBeGreaterThan(50)
    expect(missing).toEqual([])
  })

  it('what it imports it depends on, and the other way round', () => {
    const code = filesBelow(join(installed, 'dist')).filter((file) => file.endsWith('.js'))
    const imports = code.flatMap((file) =>
      Array.from(read(file).matchAll(/(?:\bfrom|\bimport\(|^import) ?['"](@?\w[\w./:-]*)['"]/gm), ([, to = '']) => to),
    )
    const packages = imports
      .filter((name) => !name.startsWith('node:'))
      .map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
    expect([...new Set(packages)].toSorted()).toEqual(Object.keys(manifest().dependencies).toSorted())
  })
})

describe('the library', () => {
  it('serves from plain node', async () => {
    consumer.write(
      'server.mjs',
      `import { webAddAction, webAllocHost, webGetPort, webSocketRun, webSocketSend, webStartHost, webStopHost, WS_EVENT_MESSAGE } from 'fiberws'
      const host = webAllocHost({ web: { listen: '127.0.0.1:0', routes: [{ handler: 'action' }] } })
      webAddAction(host, '/', (web) => webSocketRun(web.webSocket, (ws, event, buf) => {
        if (event === WS_EVENT_MESSAGE) webSocketSend(ws, 'echo: %s', buf)
      }))
      await webStartHost(host)
      console.log('listening on http://127.0.0.1:' + webGetPort(host))
      process.once('SIGTERM', () => webStopHost(host))`,
    )
    const server = new Started(folder, process.execPath, ['server.mjs'])
    const client = await RawClient.open(await server.port())
    client.send(text('hello'))
    expect((await client.frame()).payload.toString()).toBe('echo: hello')
    server.signal('SIGTERM')
    expect((await client.frame()).payload.readUInt16BE()).toBe(1001)
    client.destroy()
    expect(await server.exit).toBe(0)
  })

  it('has the types that test/types speaks of, wherever they are looked up', { timeout: 300_000 }, async () => {
    const types = join(folder, 'types')
    mkdirSync(types)
    writeFileSync(join(types, 'package.json'), '{ "type": "module" }')
    for (const name of readdirSync(join(root, 'test/types')).filter((file) => !file.endsWith('.test.ts'))) {
      writeFileSync(
        join(types, name),
        read(join(root, 'test/types', name))
          .replaceAll('../../lib/index.ts', 'fiberws')
          .replaceAll("same.ts'", "same.js'"),
      )
    }
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const checks = ['NodeNext', 'Bundler'].map(async (resolution) => {
      const options = {
        module: resolution === 'Bundler' ? 'ESNext' : resolution,
        moduleResolution: resolution,
        target: 'ES2023',
        lib: ['ES2023'],
        strict: true,
        skipLibCheck: false,
        noEmit: true,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
      }
      const project = join(types, `${resolution}.json`)
      writeFileSync(project, JSON.stringify({ compilerOptions: options, include: ['*.ts'] }))
      const compiler = new Started(types, process.execPath, [tsc, '--project', project, '--listFiles'])
      const exit = await compiler.exit
      const lines = compiler.out.trim().split('\n')
      const looked = lines.flatMap((line) => /.*\/node_modules\/((?:@types\/)?[^/]+)/.exec(line)?.[1] ?? [])
      return [resolution, exit, lines.filter((line) => line.includes('error TS')), [...new Set(looked)].toSorted()]
    })
    // Were among them: 422 files of typebox, which every program that looks at the types it uses would look through.
    const packages = ['@types/node', '@typescript', 'fiberws', 'undici-types']
    expect(await Promise.all(checks)).toEqual([
      ['NodeNext', 0, [], packages],
      ['Bundler', 0, [], packages],
    ])
  })
})

/** Says its arguments to the peer: whether its 'fiberws' is that of the command shows in that it gets to. */
const ECHO = `export default (web) => webSocketRun(web.webSocket, (ws, event, buf) => {
  if (event === WS_EVENT_MESSAGE) webSocketSend(ws, '%s says %s', name, buf)
})`

describe('the command', () => {
  beforeAll(() => {
    // Not only types to take away: an enum has to be compiled.
    consumer.write('name.ts', `export enum Name { Of = 'TypeScript' }`)
    consumer.write(
      'typed.ts',
      `import { type Web, webSocketRun, webSocketSend, WS_EVENT_MESSAGE } from 'fiberws'
      import { Name } from './name.js'
      const name: string = Name.Of
      ${ECHO.replace('(web)', '(web: Web): Promise<number>')}`,
    )
    consumer.write(
      'plain.js',
      `import { webSocketRun, webSocketSend, WS_EVENT_MESSAGE } from 'fiberws'
      const name = 'JavaScript'
      ${ECHO}`,
    )
    consumer.write(
      'my.json5',
      `{ web: { listen: '127.0.0.1:0', routes: [
        { match: '/typed', handler: 'action', module: './typed.ts' },
        { match: '/plain', handler: 'action', module: './plain.js' },
      ] } }`,
    )
  })

  async function expectEcho(server: Started): Promise<void> {
    const port = await server.port()
    for (const [path, name] of [
      ['/typed', 'TypeScript'],
      ['/plain', 'JavaScript'],
    ]) {
      const client = await RawClient.open(port, path)
      client.send(text('hello'))
      expect((await client.frame()).payload.toString()).toBe(`${name} says hello`)
      client.destroy()
    }
  }

  const start = (...args: string[]): Started => new Started(folder, join(folder, 'node_modules/.bin/fiberws'), args)

  it('serves actions in TypeScript and JavaScript; Ctrl-C ends it with 0', async () => {
    const server = start('my.json5')
    await expectEcho(server)
    const { engine } = await selectEngine('auto')
    expect(server.out).toContain(`fiberws ${manifest().version}, ${engine.name} engine`)
    server.signal('SIGINT')
    expect(await server.exit).toBe(0)
  })

  it('npx fiberws FILE does, too', async () => {
    const server = new Started(folder, 'npx', ['--offline', 'fiberws', 'my.json5'])
    await expectEcho(server)
    server.signal('SIGINT')
    // npx itself ends by the signal; the command behind it stops as ever.
    await server.exit
    expect(server.out).toContain('stopping')
  })

  it.each(['module', 'commonjs'])('in a folder of "type": "%s"', async (type) => {
    const typed = join(folder, type)
    mkdirSync(typed)
    for (const name of ['name.ts', 'typed.ts']) cpSync(join(folder, name), join(typed, name))
    cpSync(join(folder, 'plain.js'), join(typed, 'plain.mjs'))
    writeFileSync(join(typed, 'package.json'), JSON.stringify({ type }))
    writeFileSync(join(typed, 'my.json5'), read(join(folder, 'my.json5')).replace('plain.js', 'plain.mjs'))
    const server = new Started(typed, join(folder, 'node_modules/.bin/fiberws'), ['my.json5'])
    await expectEcho(server)
    server.signal('SIGINT')
    expect(await server.exit).toBe(0)
  })

  it.each(['nothing', 'another copy'])(
    "modules elsewhere, beside %s, have the command's own 'fiberws'",
    async (beside) => {
      const elsewhere = mkdtempSync(join(tmpdir(), 'fiberws-elsewhere-'))
      for (const name of ['name.ts', 'typed.ts', 'my.json5']) cpSync(join(folder, name), join(elsewhere, name))
      cpSync(join(folder, 'plain.js'), join(elsewhere, 'plain.mjs'))
      writeFileSync(join(elsewhere, 'my.json5'), read(join(folder, 'my.json5')).replace('plain.js', 'plain.mjs'))
      if (beside === 'another copy') {
        cpSync(join(folder, 'node_modules/fiberws'), join(elsewhere, 'node_modules/fiberws'), { recursive: true })
      }
      const server = new Started(elsewhere, join(folder, 'node_modules/.bin/fiberws'), ['my.json5'])
      await expectEcho(server)
      server.signal('SIGINT')
      expect(await server.exit).toBe(0)
      rmSync(elsewhere, { recursive: true })
    },
  )

  it('--version; without a file, one sentence', async () => {
    const version = start('--version')
    expect(await version.exit).toBe(0)
    expect(version.out).toBe(`${manifest().version}\n`)
    const nothing = start()
    expect(await nothing.exit).toBe(1)
    expect(nothing.err).toMatch(/^Name a config file, as in: fiberws my\.json5 .*\n$/)
  })

  it('a module that does not compile is one line', async () => {
    consumer.write('broken.ts', 'const x: = 1')
    consumer.write('broken.json5', `{ web: { routes: [{ handler: 'action', module: './broken.ts' }] } }`)
    const server = start('broken.json5')
    expect(await server.exit).toBe(1)
    expect(server.err).toMatch(/broken\.ts:1:9/)
    expect(server.err).not.toContain('    at ')
  })

  // The last one: it takes the package away.
  it('goes on without uWebSockets.js, on the node engine, and says so in a line', async () => {
    rmSync(join(folder, 'node_modules/uWebSockets.js'), { recursive: true })
    const server = start('my.json5')
    await expectEcho(server)
    expect(server.out).toContain('node engine')
    expect(server.out.match(/cannot load uWebSockets\.js, using the node engine/g)?.length).toBe(1)
    server.signal('SIGINT')
    expect(await server.exit).toBe(0)
  })
})
