import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { addressesOf, meet } from './addresses.ts'
import { channel } from './channel.ts'
import { isRecord, type Path, type Problem, valueAt } from './check.ts'
import { isLoopback, parseEndpoint } from './endpoint.ts'
import { parseFilter } from './event-filter.ts'
import { network } from './onebot.ts'
import { web } from './schema.ts'
import { readFilter } from './event-filter.ts'
import { toCqAddress } from './to-cqhttp.ts'

const problem = (path: Path, rule: string, got = ''): Problem => ({ path, rule, got })
const textOf = (value: unknown, byDefault = ''): string =>
  typeof value === 'string' && value !== '' ? value : byDefault
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** One way to a bot, as a config has it. */
interface Entry {
  readonly path: Path
  readonly name: string
  /** Null: it listens nowhere, or where `web` does. */
  readonly address: { readonly host: string; readonly port: number } | null
  /** Anybody who reaches it may use it. */
  readonly open: boolean
}

const LISTS = Object.entries(network.properties).flatMap(([list, node]) =>
  'items' in node && 'properties' in node.items ? [{ list, properties: node.items.properties }] : [],
)

const isOpen = (entry: unknown, token: unknown): boolean =>
  textOf(token) === '' && valueAt(entry, ['generateToken']) !== true

/** Where NapCat's entries are: at the top, or in `onebot`. */
const networksOf = (value: unknown): Path[] =>
  [['network'], ['onebot', 'network']].filter((path) => valueAt(value, path) !== undefined)

function ofNetworks(value: unknown): Entry[] {
  return networksOf(value).flatMap((at) =>
    LISTS.flatMap(({ list, properties }) =>
      listOf(valueAt(value, [...at, list])).flatMap((entry, i): Entry[] => {
        if (!isRecord(entry) || entry['enable'] !== true) return []
        const listens = 'port' in properties
        const port = typeof entry['port'] === 'number' ? entry['port'] : listens ? properties.port.default : 0
        const host = textOf(entry['host'], '127.0.0.1')
        return [
          {
            path: [...at, list, i],
            name: textOf(entry['name'], properties.name.default),
            address: listens ? { host, port } : null,
            open: listens && isOpen(entry, entry['token']),
          },
        ]
      }),
    ),
  )
}

function ofServers(value: unknown): Entry[] {
  return listOf(valueAt(value, ['onebot', 'servers'])).flatMap((server, i) =>
    (['http', 'ws'] as const).flatMap((kind): Entry[] => {
      const entry = valueAt(server, [kind])
      if (!isRecord(entry) || entry['disabled'] === true) return []
      const { address: given, host, port } = entry
      if (kind === 'http' && given === undefined && host === undefined && port === undefined) return []
      const path: Path = ['onebot', 'servers', i, kind]
      try {
        const address = toCqAddress(
          {
            address: typeof given === 'string' ? given : undefined,
            host: typeof host === 'string' ? host : undefined,
            port: typeof port === 'number' ? port : undefined,
          },
          kind === 'http' ? 5700 : 8080,
        )
        const open = isOpen(entry, valueAt(entry, ['middlewares', 'access-token']))
        return [{ path, name: `servers[${i}].${kind}`, address, open }]
      } catch {
        return []
      }
    }),
  )
}

/** Routes are on the addresses of `web`. */
function ofRoutes(value: unknown): Entry[] {
  return listOf(valueAt(value, ['web', 'routes'])).flatMap((route, i): Entry[] => {
    if (valueAt(route, ['handler']) !== 'onebot') return []
    const mount = valueAt(route, ['onebot'])
    return [
      {
        path: ['web', 'routes', i],
        name: textOf(valueAt(mount, ['name']), textOf(valueAt(route, ['match']), '/')),
        address: null,
        open: isOpen(mount, valueAt(route, ['token'])),
      },
    ]
  })
}

const entriesOf = (value: unknown): Entry[] => [...ofNetworks(value), ...ofServers(value), ...ofRoutes(value)]

const meansIt = (value: unknown, { path }: Entry): boolean =>
  valueAt(value, [...path, 'allowUnauthenticated']) === true ||
  valueAt(value, [...path, 'onebot', 'allowUnauthenticated']) === true

/** Where `web` listens; that is said, or has to be so that there is something behind its routes. */
function webAddresses(value: unknown): { readonly host: string; readonly port: number }[] {
  const said = valueAt(value, ['web', 'listen']) !== undefined
  const routes = valueAt(value, ['web', 'routes']) !== undefined
  return said ? addressesOf(value).map(({ address }) => address) : routes ? [parseEndpoint(web.listen.default)] : []
}

/** The hosts at which an entry is reached. */
const reachedAt = (value: unknown, { address }: Entry): string[] =>
  address === null ? webAddresses(value).map(({ host }) => host) : [address.host]

/** What is right for itself, and wrong together. */
export const findOneBotConflicts = (value: unknown): Problem[] => [
  ...findTwoNetworks(value),
  ...findNames(value),
  ...findAddresses(value),
  ...findOpenDoors(value),
  ...findFilters(value),
]

/** Those that are said in the config itself. */
function findFilters(value: unknown): Problem[] {
  const places = entriesOf(value).flatMap(({ path }) => [
    [...path, 'filter'],
    [...path, 'onebot', 'filter'],
  ])
  return places.flatMap((path) => {
    const given = valueAt(value, path)
    if (given === undefined) return []
    try {
      parseFilter(given)
      return []
    } catch (error) {
      return [problem(path, error instanceof Error ? error.message : String(error))]
    }
  })
}

function findTwoNetworks(value: unknown): Problem[] {
  return networksOf(value).length < 2
    ? []
    : [problem(['network'], 'is the same as onebot.network, which is there, too: say one of them')]
}

function findNames(value: unknown): Problem[] {
  const entries = entriesOf(value)
  return entries.flatMap(({ path, name }, i) => {
    const first = entries.slice(0, i).find((other) => other.name === name)
    return first === undefined ? [] : [problem([...path, 'name'], `another entry has this name, too`, `'${name}'`)]
  })
}

function findAddresses(value: unknown): Problem[] {
  const main = valueAt(value, ['channels', 'websocket'])
  const { host, port } = channel.properties
  const taken = [
    ...webAddresses(value).map((address) => ({ address, what: 'an address of web.listen' })),
    ...(valueAt(main, ['enabled']) === true
      ? [
          {
            address: {
              host: textOf(valueAt(main, ['host']), host.default),
              port: Number(valueAt(main, ['port']) ?? port.default),
            },
            what: 'channels.websocket',
          },
        ]
      : []),
  ]
  const entries = entriesOf(value)
  return entries.flatMap(({ path, address }, i) => {
    if (address === null) return []
    const other = entries.slice(0, i).find((one) => one.address !== null && meet(one.address, address))
    const what = taken.find((one) => meet(one.address, address))?.what ?? other?.name
    if (what === undefined) return []
    const remedy = what.endsWith('web.listen') ? ": say another, or make it a route with `handler: 'onebot'`" : ''
    return [problem([...path, 'port'], `is ${address.port}, which ${what} has already${remedy}`)]
  })
}

/** What others can reach needs a credential, or the config's word that it is meant. */
function findOpenDoors(value: unknown): Problem[] {
  return entriesOf(value).flatMap((entry) => {
    const far = reachedAt(value, entry).find((host) => !isLoopback(host))
    if (!entry.open || far === undefined || meansIt(value, entry)) return []
    const rule = `lets in ANYBODY who can reach ${far}: set token, or allowUnauthenticated: true where that is meant`
    return [problem([...entry.path, 'token'], rule)]
  })
}

/** What is right, and worth a word at each start. */
export function findOneBotOddities(value: unknown, folder: string): Problem[] {
  const doors = entriesOf(value).flatMap((entry) => {
    const far = reachedAt(value, entry).find((host) => !isLoopback(host))
    return entry.open && far !== undefined ? [problem(entry.path, `ANYBODY who can reach ${far} can use the bot`)] : []
  })
  const filters = listOf(valueAt(value, ['onebot', 'servers'])).flatMap((server, i) =>
    ['http', 'ws', 'ws-reverse'].flatMap((kind) => {
      const given = textOf(valueAt(server, [kind, 'middlewares', 'filter']))
      const file = resolve(folder, given)
      if (given === '' || readFilter(file) !== null) return []
      const why = existsSync(file) ? 'is no filter' : 'is not there'
      return [problem(['onebot', 'servers', i, kind, 'middlewares', 'filter'], `${why}: everything is told`)]
    }),
  )
  const routes = listOf(valueAt(value, ['web', 'routes'])).flatMap((route, i) =>
    ['bot', 'onebot']
      .filter((key) => valueAt(route, [key]) !== undefined && valueAt(route, ['handler']) !== 'onebot')
      .map((key) => problem(['web', 'routes', i, key], "is for handler: 'onebot', ignored")),
  )
  return [...doors, ...filters, ...routes]
}

/** Whether a config has bots at all. */
export const hasBots = (value: unknown): boolean =>
  entriesOf(value).length > 0 || listOf(valueAt(value, ['onebot', 'servers'])).length > 0
