import { setTimeout as sleep } from 'node:timers/promises'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Command } from './support/command.ts'
import { text } from './support/frames.ts'
import { RawClient } from './support/raw.ts'

const ECHO = 'samples/echo/web.json5'
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-cli-'))
  writeFileSync(join(folder, 'plain.json5'), '{ web: { routes: [] } }')
})
afterAll(() => rmSync(folder, { recursive: true }))

// Most of it is starting the command, several times in a test.
vi.setConfig({ testTimeout: 60_000 })

describe('the command', () => {
  it('--help, --version', async () => {
    const help = new Command(['--help'])
    expect(await help.exit).toBe(0)
    expect(help.out).toContain('Usage: fiberws')
    const version = new Command(['--version'])
    expect(await version.exit).toBe(0)
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('--check names every problem and exits with 1', async () => {
    const file = join(folder, 'bad.json5')
    writeFileSync(file, `{ web: { listen: 'nonsense:x', timeouts: { parse: '5m' }, limits: { body: '5 apples' } } }`)
    const bad = new Command([file, '--check'])
    expect(await bad.exit).toBe(1)
    expect(bad.err.match(/web\.(listen|timeouts\.parse|limits\.body): /g)?.length).toBe(3)
    expect(bad.err).not.toContain('    at ')
    const good = new Command([join(folder, 'plain.json5'), '--check'])
    expect(await good.exit).toBe(0)

    const world = join(folder, 'world.json5')
    writeFileSync(world, "{ web: { routes: [{ match: '/ws', handler: 'gateway' }] } }")
    const nowhere = new Command([world, '--check', '--data', world])
    expect(await nowhere.exit).toBe(1)
    expect(nowhere.err).toContain(`${world} cannot be the data folder: ${world} is a file`)
  })

  it('--check says the place; --print-config what counts, without secrets; --init writes a config that is one', async () => {
    const file = join(folder, 'places.json5')
    mkdirSync(join(folder, 'site'))
    writeFileSync(file, "{\n  web: {\n    routs: [],\n    routes: [{ token: '${TOKEN}', match: '/x' }],\n  },\n}")
    const check = new Command([file, '--check'], { TOKEN: 'hush' })
    expect(await check.exit).toBe(0)
    expect(check.err).toBe(`warning: ${file}:3:5 web.routs: unknown key, ignored (did you mean 'routes'?)\n`)
    const print = new Command([file, '--print-config', '--listen', ':1'], { TOKEN: 'hush', FIBERWS_ENGINE: 'node' })
    expect(await print.exit).toBe(0)
    expect(print.out).toMatch(/engine: 'node',\n +listen: \[\n +':1',/)
    expect(print.out).toContain("maxMessage: '100K'")
    expect(print.out).toContain("token: '(secret)'")
    expect(print.out).not.toContain('hush')

    const made = join(folder, 'made.json5')
    expect(await new Command(['--init', made]).exit).toBe(0)
    const again = new Command(['--init', made])
    expect(await again.exit).toBe(1)
    expect(again.err).toBe(`${made} exists: name another file\n`)
    const good = new Command([made, '--check'])
    expect([await good.exit, good.err]).toEqual([0, ''])
  })

  it('--check loads modules, names all that cannot be, and opens no port', async () => {
    const file = join(folder, 'modules.json5')
    const route = (name: string): string => `{ match: '/${name}', handler: 'action', module: './${name}.mjs' }`
    const routes = ['throws', 'number', 'good'].map(route).join(', ')
    // A port that nobody may open here, nor needs to.
    writeFileSync(
      file,
      `{ web: { listen: '192.0.2.1:1', routes: [${routes}, { match: '/a', handler: 'action' }, { documents: 'none' }] } }`,
    )
    writeFileSync(join(folder, 'throws.mjs'), "throw new Error('at the top')")
    writeFileSync(join(folder, 'number.mjs'), 'export default 5')
    writeFileSync(join(folder, 'good.mjs'), 'export default () => {}')
    const bad = new Command([file, '--check'])
    expect(await bad.exit).toBe(1)
    expect(bad.err.split('\n')).toEqual([
      "warning: route '/a' has neither a module nor an action: it answers 404",
      `warning: route '' has no documents: there is no folder ${join(folder, 'none')}`,
      `${join(folder, 'throws.mjs')}: at the top`,
      `${join(folder, 'number.mjs')}: has no default export that is a function`,
      '',
    ])
    writeFileSync(join(folder, 'throws.mjs'), 'export default () => {}')
    writeFileSync(join(folder, 'number.mjs'), 'export default () => {}')
    const good = new Command([file, '--check'])
    expect([await good.exit, good.out]).toEqual([0, 'ok, with 2 warnings\n'])

    const other = join(folder, 'header.json5')
    const role = "{ match: '/r', handler: 'action', role: 'admin', module: './good.mjs' }"
    writeFileSync(other, `{ web: { engine: 'uws', limits: { header: '64K' }, routes: [${role}] } }`)
    const long = new Command([other, '--check'])
    expect([await long.exit, long.err.split('\n')]).toEqual([
      1,
      [
        "warning: route '/r' needs the role 'admin', and no program says who has it: it answers 403",
        "limits.header: the uws engine takes 24576 bytes at most: lower it, or set engine to 'node'",
        '',
      ],
    ])
  })

  it.each([
    [['--nonsense'], /--nonsense.*\nTry --help/s],
    [['a.json5', 'b.json5'], /One config file/],
    [['no-such.json5'], /no-such\.json5: no such file/],
    [['plain.json5', '--listen', 'no.such.host.invalid:1'], /There is no host 'no\.such\.host\.invalid'/],
    [['plain.json5', '--engine', 'quick'], /^--engine: must be one of 'auto', 'uws', 'node', got 'quick'\n$/],
    [['plain.json5', '--listen', 'a:b:c'], /^--listen: is not \[http.*got 'a:b:c'\n$/],
    [['plain.json5', '--listen', '8097'], /^--listen: is only a port: say 127\.0\.0\.1:8097/],
  ])('%j is one sentence and exit 1', async (args, message) => {
    const command = new Command(args.map((arg) => (arg === 'plain.json5' ? join(folder, arg) : arg)))
    expect(await command.exit).toBe(1)
    expect(command.err).toMatch(message)
    expect(command.err).not.toContain('    at ')
  })

  it('the echo sample: any path, text and binary; a port in use; SIGTERM is 1001 and exit 0', async () => {
    const server = new Command([ECHO, '--engine', 'node', '--listen', '127.0.0.1:0'])
    const port = await server.port()
    expect(server.out).toContain('node engine')
    const client = await RawClient.open(port, '/any/path?at=all', { Origin: 'https://elsewhere.example' })
    client.send(text('hello'))
    expect((await client.frame()).payload.toString()).toBe('hello')

    const second = new Command([ECHO, '--listen', `127.0.0.1:${port}`])
    expect(await second.exit).toBe(1)
    expect(second.err).toMatch(/^Port \d+ is in use: .*\n$/m)

    server.child.kill('SIGTERM')
    expect((await client.frame()).payload.readUInt16BE()).toBe(1001)
    client.destroy()
    expect(await server.exit).toBe(0)
  })

  it('a second signal ends it at once; one that is passed on twice is one', async () => {
    const server = new Command([ECHO, '--listen', '127.0.0.1:0', '--engine', 'node'])
    const client = await RawClient.open(await server.port())
    server.child.kill('SIGINT')
    await client.frame()
    server.child.kill('SIGINT')
    // Long enough to be a person's second thought.
    await sleep(300)
    expect(server.child.exitCode).toBeNull()
    server.child.kill('SIGINT')
    expect(await server.exit).toBe(1)
  })

  it('an action route without a module starts, and is named in a warning', async () => {
    const file = join(folder, 'seed.json5')
    writeFileSync(file, `{ web: { routes: [{ match: '/ws/', handler: 'action' }] } }`)
    const server = new Command([file, '--listen', '127.0.0.1:0'])
    const port = await server.port()
    expect(server.err).toMatch(/warning: route '\/ws\/' has neither/)
    const client = await RawClient.connect(port)
    client.send(Buffer.from('GET /ws/x HTTP/1.1\r\nHost: x\r\n\r\n'))
    expect((await client.response()).status).toBe(404)
  })

  it('a route that names a module or a handler that is not there', async () => {
    const file = join(folder, 'missing.json5')
    writeFileSync(file, `{ web: { routes: [{ match: '/', handler: 'action', module: './missing.ts' }] } }`)
    const missing = new Command([file, '--listen', '127.0.0.1:0'])
    expect(await missing.exit).toBe(1)
    expect(missing.err).toMatch(
      /missing\.json5:1:\d+ web\.routes\[0\]\.module: there is no such file, got '\.\/missing\.ts'/,
    )
    writeFileSync(file, `{ web: { routes: [{ match: '/', handler: 'fiel' }] } }`)
    const unknown = new Command([file])
    expect(await unknown.exit).toBe(1)
    expect(unknown.err).toContain(
      "web.routes[0].handler: must be one of 'file', 'action', 'observe', 'gateway', 'agent', 'onebot', got 'fiel'",
    )
  })

  it.each([
    ['export const x = 1', /has no default export that is a function/],
    ['throw new Error("in the module")', /module\.ts: in the module/],
  ])('a module that is no action: %s', async (code, message) => {
    writeFileSync(join(folder, 'module.ts'), code)
    const file = join(folder, 'module.json5')
    writeFileSync(file, `{ web: { routes: [{ match: '/', handler: 'action', module: './module.ts' }] } }`)
    const server = new Command([file, '--listen', '127.0.0.1:0'])
    expect(await server.exit).toBe(1)
    expect(server.err).toMatch(message)
  })
})
