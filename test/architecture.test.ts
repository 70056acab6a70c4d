import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/*
 * The import direction of the design, held by reading the import lines:
 * include-types ← engine/port ← websock ← web ← (protocols) ← parts, cli, index.
 */

const root = fileURLToPath(new URL('..', import.meta.url))

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const sources = ['include-types', 'lib'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
)

const imports: Import[] = sources.flatMap((from) => {
  const code = readFileSync(join(root, from), 'utf8')
  const statements = code.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|\bimport\('([^']+)'\)/gm)
  return Array.from(statements, ([, type, named, dynamic]) => {
    const target = named ?? dynamic ?? ''
    const to = target.startsWith('.') ? relative(root, resolve(root, dirname(from), target)) : target
    return { from, to, typeOnly: type !== undefined }
  })
})

/** Which room a file is in, by the longest prefix. */
const rooms = [
  'include-types',
  'lib/rfc6455.ts',
  'lib/engine/port.ts',
  'lib/engine/clock.ts',
  'lib/engine/free-port.ts',
  'lib/engine/extensions.ts',
  'lib/rfc9110.ts',
  'lib/engine/memory.ts',
  'lib/engine/select.ts',
  'lib/engine/node',
  'lib/engine/uws',
  'lib/websock',
  'lib/web',
  'lib/observe',
  'lib/chat',
  'lib/files',
  'lib/gateway',
  'lib/agent',
  'lib/onebot',
  'lib/workers',
  'lib/signals.ts',
  'lib/standalone.ts',
  'lib/protocols.ts',
  'lib/agents.ts',
  'lib/onebots.ts',
  'lib/version.ts',
  'lib/parts.ts',
  'lib/index.ts',
  'lib/cli.ts',
] as const
type Room = (typeof rooms)[number]
const isIn = (file: string, room: string): boolean => file === room || file.startsWith(`${room}/`)
const roomOf = (file: string): Room | undefined => rooms.find((room) => isIn(file, room))

/** What each room may import of ours. */
const allowed: Record<Room, readonly Room[]> = {
  'include-types': [],
  'lib/rfc6455.ts': [],
  'lib/engine/port.ts': ['include-types'],
  'lib/engine/clock.ts': ['lib/engine/port.ts'],
  'lib/engine/extensions.ts': [],
  'lib/engine/free-port.ts': [],
  'lib/rfc9110.ts': [],
  'lib/engine/memory.ts': ['lib/engine/port.ts'],
  'lib/engine/node': [
    'include-types',
    'lib/rfc6455.ts',
    'lib/engine/port.ts',
    'lib/engine/clock.ts',
    'lib/engine/extensions.ts',
    'lib/rfc9110.ts',
  ],
  'lib/engine/uws': [
    'include-types',
    'lib/rfc6455.ts',
    'lib/engine/port.ts',
    'lib/engine/clock.ts',
    'lib/engine/free-port.ts',
    'lib/engine/extensions.ts',
    'lib/rfc9110.ts',
  ],
  'lib/engine/select.ts': ['lib/engine/port.ts', 'lib/engine/node', 'lib/engine/uws'],
  'lib/websock': ['include-types', 'lib/rfc6455.ts', 'lib/engine/port.ts'],
  'lib/web': ['include-types', 'lib/rfc6455.ts', 'lib/rfc9110.ts', 'lib/engine/port.ts', 'lib/websock'],
  'lib/observe': ['include-types', 'lib/websock', 'lib/web'],
  'lib/chat': ['include-types'],
  'lib/files': ['lib/chat', 'lib/engine/port.ts', 'lib/web'],
  'lib/gateway': ['include-types', 'lib/chat', 'lib/files', 'lib/web', 'lib/websock'],
  'lib/agent': ['include-types', 'lib/chat', 'lib/engine/port.ts', 'lib/web', 'lib/websock'],
  'lib/onebot': ['include-types', 'lib/chat', 'lib/engine/port.ts', 'lib/version.ts', 'lib/web', 'lib/websock'],
  'lib/protocols.ts': ['lib/chat', 'lib/files', 'lib/gateway', 'lib/web', 'lib/websock'],
  'lib/agents.ts': ['lib/agent', 'lib/protocols.ts'],
  'lib/onebots.ts': ['lib/engine/select.ts', 'lib/onebot', 'lib/protocols.ts', 'lib/websock'],
  'lib/version.ts': [],
  'lib/parts.ts': [
    'lib/engine/select.ts',
    'lib/web',
    'lib/observe',
    'lib/protocols.ts',
    'lib/agents.ts',
    'lib/onebots.ts',
  ],
  'lib/standalone.ts': ['include-types', 'lib/engine/select.ts', 'lib/websock'],
  'lib/index.ts': ['include-types', 'lib/standalone.ts', 'lib/parts.ts', 'lib/web', 'lib/websock'],
  'lib/workers': ['lib/engine/free-port.ts', 'lib/engine/port.ts', 'lib/websock', 'lib/web', 'lib/observe'],
  'lib/signals.ts': [],
  'lib/cli.ts': [
    'lib/parts.ts',
    'lib/signals.ts',
    'lib/version.ts',
    'lib/websock',
    'lib/web',
    'lib/observe',
    'lib/workers',
  ],
}

describe('architecture', () => {
  it('reads every import', () => {
    const count = sources.flatMap(
      (file) => readFileSync(join(root, file), 'utf8').match(/^(?:import|export) .*from '/gm) ?? [],
    )
    expect(imports.filter(({ to }) => to !== '').length).toBeGreaterThanOrEqual(count.length)
    expect(imports.length).toBeGreaterThan(80)
  })

  it('every file has a room', () => {
    expect(sources.filter((file) => roomOf(file) === undefined)).toEqual([])
  })

  it('imports go one way', () => {
    const wrong = imports.filter(({ from, to }) => {
      const [source, target] = [roomOf(from), roomOf(to)]
      return target !== undefined && source !== undefined && source !== target && !allowed[source].includes(target)
    })
    expect(wrong).toEqual([])
  })

  it('only lib/engine/uws imports uWebSockets.js', () => {
    expect(imports.filter(({ from, to }) => to === 'uWebSockets.js' && !isIn(from, 'lib/engine/uws'))).toEqual([])
  })

  it('what the layer and the engines import of others is known', () => {
    const packages = (room: Room): string[] =>
      [...new Set(imports.filter(({ from }) => isIn(from, room)).map(({ to }) => to))]
        .filter((to) => roomOf(to) === undefined)
        .toSorted()
    expect(packages('lib/websock')).toEqual(['denque', 'node:buffer'])
    expect(packages('include-types')).toEqual(['node:http', 'node:tls'])
    const others = packages('lib/engine/node').filter((name) => !name.startsWith('node:'))
    expect(others).toEqual(['https-proxy-agent', 'proxy-from-env'])
  })

  it('include-types holds types only', () => {
    const code = sources
      .filter((file) => isIn(file, 'include-types'))
      .map((file) => readFileSync(join(root, file), 'utf8'))
    expect(code.join('\n')).not.toMatch(/^\s*(?:export )?(?:const|let|var|function|class|enum)\s/m)
    expect(imports.filter(({ from, typeOnly }) => isIn(from, 'include-types') && !typeOnly)).toEqual([])
  })

  it('no file grows into one that everything lives in', () => {
    const long = sources.map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
    expect(long.filter(({ lines }) => lines > 320)).toEqual([])
  })
})
