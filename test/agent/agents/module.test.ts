import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parts } from '../../../lib/parts.ts'
import { ConfigError } from '../../../lib/web/config/error.ts'
import { createHost } from '../../../lib/web/host.ts'
import { AgentClient, AgentServer } from '../../support/agent.ts'
import { Command } from '../../support/command.ts'
import { patiently } from '../../support/patience.ts'
import { engines } from '../../support/server.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-module-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, code: string): string {
  writeFileSync(join(folder, name), code)
  return join(folder, name)
}

const agentOf = (path: string, options = {}) => ({ agent: { type: 'module', path, options } }) as const

/** Why a host with this module does not start; null where it does. */
async function problemOf(path: string, channel = {}): Promise<string | null> {
  const websocket = { enabled: true, port: 0, websocketRequiresToken: false, ...agentOf(path), ...channel }
  try {
    const host = createHost({ web: { engine: 'node' }, channels: { websocket } }, parts)
    const code = await host.start()
    const { error } = host
    await host.free()
    return code === 0 ? null : (error ?? 'no reason')
  } catch (error) {
    // What a config cannot be, it is told when a host is made of it.
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

/** The steps of an agent's life, as it tells them with `step`. */
const steps: string[] = []
let wake = (): void => {}
beforeEach(() => {
  steps.length = 0
  const step = (name: string): void => {
    steps.push(name)
    wake()
  }
  Object.assign(globalThis, { step })
})
const until = async (name: string): Promise<void> => {
  while (!steps.includes(name)) {
    await patiently(new Promise<void>((resolve) => (wake = resolve)), () => `no ${name} in ${steps.join()}`)
  }
}

/** As long as no agent runs. */
const LISTENERS = process.listenerCount('unhandledRejection')

describe('a module as an agent', () => {
  /** What it answers to `hello`. */
  async function answerOf(code: string, options = {}, name = 'agent.mjs'): Promise<string> {
    const server = await AgentServer.start('node', agentOf(write(name, code), options))
    return (await server.connect('client_id=alice')).ask('hello')
  }

  it.each([
    ['an agent', "export default { name: 'a', reply: (session, text) => text + '!' }", 'hello!'],
    [
      'an agent that knows itself',
      "class A { name = 'a'; end = '!'; reply(session, text) { return text + this.end } }; export default new A()",
      'hello!',
    ],
    ['an agent without a name', "export default { reply: (session, text) => text + '!' }", 'hello!'],
    ['a function', "export default (session, text, context) => text + '!'", 'hello!'],
    ['a function that looks at its session', 'export default (s, text, c) => `${s.clientId} ${s.key}`', null],
    ['a promise', "export default async (session, text) => text + '!'", 'hello!'],
    ['a generator', "export default function* (session, text) { yield text; yield '!' }", 'hello!'],
    ['an async generator', "export default async function* (session, text) { yield text; yield '!' }", 'hello!'],
    ['a promise of a generator', "export default async (s, t) => (function* () { yield t; yield '!' })()", 'hello!'],
    ['a list', "export default (session, text) => [text, '!']", 'hello!'],
    ['nothing', 'export default (session, text) => {}', ''],
    ['a function that looks at nothing', "export default () => 'hello!'", 'hello!'],
    ['all that there is, by its names', "export default function () { return arguments[1] + '!' }", 'hello!'],
  ])('may give %s', async (_name, code, answer) => {
    const text = await answerOf(code)
    if (answer === null) expect(text).toMatch(/^alice websocket:[0-9a-f-]{36}$/)
    else expect(text).toBe(answer)
  })

  it.each([
    ['at once', 'export default (options) => ({ name: "a", reply: (s, text) => text + options.end })'],
    ['later', 'export default async (options) => ({ name: "a", reply: (s, text) => text + options.end })'],
    ['with options that it may do without', 'export default (o = {}) => ({ reply: (s, text) => text + o.end })'],
    [
      'by a function of a class',
      'class A { constructor(o) { this.o = o } reply(s, text) { return text + this.o.end } }; export default (o) => new A(o)',
    ],
  ])('may make its agent of options, %s', async (_name, code) => {
    expect(await answerOf(code, { end: '?' })).toBe('hello?')
  })

  it('makes one agent for all chats', async () => {
    const code = 'let made = 0; export default (options) => { made++; return { reply: () => `${made}` } }'
    const server = await AgentServer.start('node', agentOf(write('agent.mjs', code)))
    const [one, other] = [await server.connect(), await server.connect()]
    expect([await one.ask('x'), await other.ask('x')]).toEqual(['1', '1'])
  })

  it('is handed empty options where there are none', async () => {
    const code = 'export default (options) => ({ reply: () => JSON.stringify(options) })'
    const { agent } = agentOf(write('agent.mjs', code))
    const server = await AgentServer.start('node', { agent: { type: agent.type, path: agent.path } })
    expect(await (await server.connect()).ask('x')).toBe('{}')
  })

  it.each([
    ['throws', "export default (s, text, c) => { if (text === 'bad') throw new Error('secret'); return 'well' }"],
    [
      'rejects',
      "export default async (s, text, c) => { if (text === 'bad') throw new Error('secret'); return 'well' }",
    ],
    [
      'throws while it is iterated',
      "export default function* (s, text, c) { yield 'well'; if (text === 'bad') throw new Error('secret') }",
    ],
    ['gives a number', "export default (s, text, c) => (text === 'bad' ? 5 : 'well')"],
    ['yields a number', "export default function* (s, text, c) { yield text === 'bad' ? 5 : 'well' }"],
    ['throws nothing', "export default (s, text, c) => { if (text === 'bad') throw undefined; return 'well' }"],
  ])('that %s fails in that turn only', async (_name, code) => {
    const server = await AgentServer.start('node', agentOf(write('agent.mjs', code)))
    const client = await server.connect()
    client.send('bad')
    const error = await client.next('message')
    expect(error).toEqual({ event: 'message', text: 'Sorry, I encountered an error.', error: { code: 'agent_error' } })
    expect(await client.ask('good')).toBe('well')
    expect(client.texts.join('\n')).not.toContain('secret')
  })
})

describe('a module that cannot be keeps the host from starting', () => {
  it('where there is no such file', async () => {
    const problem = await problemOf(join(folder, 'no-such.mjs'))
    expect(problem).toContain('no-such.mjs')
    expect(problem).toContain('no such file')
  })

  it.each([
    ['nothing', 'export const agent = 1'],
    ['a number', 'export default 5'],
    ['null', 'export default null'],
    ['a text', "export default 'echo'"],
    ['an object without reply', "export default { name: 'a', replies: () => 'x' }"],
    ['an object with a reply that is none', "export default { name: 'a', reply: 'x' }"],
    ['a factory of a number', 'export default (options) => 5'],
    ['a factory of an object without reply', 'export default (options) => ({ name: "a" })'],
    ['a factory of nothing, later', 'export default async (options) => null'],
  ])('where its default is %s', async (_name, code) => {
    const file = write('agent.mjs', code)
    expect((await problemOf(file)) ?? 'it starts').toContain(file)
  })

  it.each([
    ['it throws at its top', "throw new Error('at the top')"],
    ['its factory throws', "export default (options) => { throw new Error('at the top') }"],
    ['its factory rejects', "export default async (options) => { throw new Error('at the top') }"],
    ['it cannot be parsed', 'export default ('],
    ['it imports what there is not', "import './none.mjs'; export default () => ''"],
  ])('where %s', async (_name, code) => {
    const file = write('agent.mjs', code)
    const problem = await problemOf(file)
    expect(problem).toContain(file)
    if (code.includes('at the top')) expect(problem).toContain('at the top')
  })

  it.each([
    ['throws', "start() { throw new Error('no database') }"],
    ['rejects', "async start() { throw new Error('no database') }"],
  ])('where its start %s', async (_name, start) => {
    const file = write('agent.mjs', `export default { name: 'a', ${start}, reply: () => '' }`)
    expect(await problemOf(file)).toContain('no database')
  })

  it('is not looked after once it has failed to start', async () => {
    const file = write('agent.mjs', `export default { name: 'a', start() { throw new Error('no') }, reply: () => '' }`)
    await problemOf(file)
    expect(process.listenerCount('unhandledRejection')).toBe(LISTENERS)
  })

  it('is stopped where the port is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const life = "start: () => step('start'), stop: () => step('stop')"
    const file = write('agent.mjs', `export default { name: 'a', ${life}, reply: () => '' }`)
    expect(await problemOf(file, { port })).toContain(String(port))
    server.close()
    expect(steps).toEqual(['start', 'stop'])
  })
})

describe.each(engines)('the life of a module on %s', (engine) => {
  const LIFE = `export default {
    name: 'a',
    async start() { step('start') },
    reply(session, text) { session.state.set('n', (session.state.get('n') ?? 0) + 1); return text },
    sessionClosed(session) { step('closed ' + session.clientId + ' ' + session.state.get('n')) },
    async stop() { step('stop') },
  }`

  it('starts before it answers, hears of chats that are over, and stops', async () => {
    const server = await AgentServer.start(engine, agentOf(write('agent.mjs', LIFE)))
    expect(steps).toEqual(['start'])
    const [alice, bob] = [await server.connect('client_id=alice'), await server.connect('client_id=bob')]
    await alice.ask('one')
    await alice.ask('two')
    await bob.ask('one')
    await alice.close()
    await until('closed alice 2')
    expect(steps).toEqual(['start', 'closed alice 2'])
    await server.host.stop()
    expect(steps).toEqual(['start', 'closed alice 2', 'closed bob 1', 'stop'])
  })

  it.each([
    ['sessionClosed', "sessionClosed() { step('closed'); throw new Error('broken') }"],
    ['stop', "stop() { step('closed'); throw new Error('broken') }"],
    ['stop, later,', "async stop() { step('closed'); throw new Error('broken') }"],
  ])('stops where %s throws', async (_name, broken) => {
    const file = write('agent.mjs', `export default { name: 'a', reply: (s, text) => text, ${broken} }`)
    const server = await AgentServer.start(engine, agentOf(file))
    const client = await server.connect()
    expect(await client.ask('hello')).toBe('hello')
    await expect(server.host.stop()).resolves.toBeUndefined()
    expect(steps).toEqual(['closed'])
    expect((await client.closed).code).toBe(1001)
  })

  it('is told that nobody wants its answer any more', async () => {
    const code = `export default async function* (session, text, { signal }) {
      signal.addEventListener('abort', () => step('aborted'))
      try { yield 'word'; await new Promise((resolve) => signal.addEventListener('abort', resolve)); yield 'late' }
      finally { step('left') }
    }`
    const server = await AgentServer.start(engine, agentOf(write('agent.mjs', code)))
    const client = await server.connect()
    client.send('hello')
    await client.next('delta')
    client.cut()
    await until('left')
    expect(steps).toEqual(['aborted', 'left'])
  })
})

describe('the command with a module', () => {
  const config = (path: string): string => {
    const file = join(folder, 'web.json5')
    const agent = `{ type: 'module', path: '${path}', options: { end: '!' } }`
    writeFileSync(
      file,
      `{ channels: { websocket: { enabled: true, port: 0, websocketRequiresToken: false, agent: ${agent} } } }`,
    )
    return file
  }
  const clients: AgentClient[] = []
  afterEach(() => {
    for (const client of clients.splice(0)) client.cut()
  })
  async function connect(command: Command): Promise<AgentClient> {
    const client = new AgentClient(`ws://127.0.0.1:${await command.port()}/`)
    clients.push(client)
    await client.next('ready')
    return client
  }

  it('takes TypeScript, whose path counts from the folder of the config', async () => {
    mkdirSync(join(folder, 'agents'))
    write('agents/words.ts', "export const word: string = 'typed'")
    write(
      'agents/agent.ts',
      `import { word } from './words.ts'
      interface Options { readonly end: string }
      export default ({ end }: Options) => ({ name: 'a', reply: (_session: unknown, text: string): string => text + word + end })`,
    )
    const command = new Command([relative(join(import.meta.dirname, '../../..'), config('./agents/agent.ts'))])
    expect(await (await connect(command)).ask('hello')).toBe('hellotyped!')
  })

  it('lives on where a promise is rejected that nobody waits for, and logs it', async () => {
    write(
      'agent.mjs',
      `export default (session, text, { signal }) => {
        if (text === 'now') void Promise.reject(new Error('nobody waits now'))
        return text === 'later' ? wait(signal) : text
      }
      async function* wait(signal) {
        yield 'wait'
        await new Promise((resolve, reject) => signal.addEventListener('abort', () => {
          void Promise.reject(new Error('nobody waits later'))
          reject(new Error('this one is waited for'))
        }))
      }`,
    )
    const command = new Command([config('agent.mjs')])
    const client = await connect(command)
    expect(await client.ask('now')).toBe('now')
    const gone = await connect(command)
    gone.send('later')
    await gone.next('delta')
    gone.cut()
    while (!command.err.includes('nobody waits later')) {
      await new Promise((resolve, reject) => {
        command.child.stderr.once('data', resolve)
        command.child.once('close', () => reject(new Error(`ended: ${command.err}`)))
      })
    }
    expect(command.err).toContain('nobody waits now')
    expect(await client.ask('still there')).toBe('still there')
    command.child.kill('SIGTERM')
    expect(await command.exit).toBe(0)
  })

  it('says in a sentence what is wrong with it, and exits with 1', async () => {
    const none = new Command([config('none.mjs')])
    expect(await none.exit).toBe(1)
    expect(none.err).toContain('none.mjs')
    expect(none.err).toContain('no such file')
    expect(none.err).not.toContain('    at ')
    write('agent.mjs', "export default { name: 'a', start() { throw new Error('no database') }, reply: () => '' }")
    const start = new Command([config('agent.mjs')])
    expect(await start.exit).toBe(1)
    expect(start.err).toContain('no database')
    write('number.mjs', 'export default 5')
    const check = new Command([config('number.mjs'), '--check'])
    expect(await check.exit).toBe(1)
    expect(check.err).toContain('number.mjs')
  })
})
