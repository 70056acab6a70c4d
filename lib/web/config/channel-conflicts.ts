import { resolve } from 'node:path'
import { toPath } from '../path.ts'
import { addressesOf, meet } from './addresses.ts'
import { channel } from './channel.ts'
import { isRecord, type Path, type Problem, valueAt } from './check.ts'
import { isLoopback } from './endpoint.ts'
import { isPair, parseCertificate, parseKey } from './tls.ts'

const { properties: by } = channel
const MAIN: Path = ['channels', 'websocket']

const problem = (path: Path, rule: string, got = ''): Problem => ({ path, rule, got })

/** A channel in a config: the block of its own, or that of a route. */
interface Place {
  readonly path: Path
  readonly config: Readonly<Record<string, unknown>>
  /** Where its socket is. */
  readonly socket: string
  /** Null for the block. */
  readonly route: number | null
}

const textOf = (value: unknown, byDefault = ''): string => (typeof value === 'string' ? value.trim() : byDefault)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function channelsOf(value: unknown): Place[] {
  const main = valueAt(value, MAIN)
  const routes = listOf(valueAt(value, ['web', 'routes'])).flatMap((route, i): Place[] => {
    const config = valueAt(route, ['channel'])
    if (valueAt(route, ['handler']) !== 'agent' || !isRecord(config)) return []
    const socket = textOf(valueAt(route, ['match'])) || '/'
    return [{ path: ['web', 'routes', i, 'channel'], config, socket, route: i }]
  })
  if (!isRecord(main)) return routes
  return [{ path: MAIN, config: main, socket: textOf(main['path'], by.path.default), route: null }, ...routes]
}

/** What is right for itself, and wrong together. */
export const findChannelConflicts = (value: unknown, folder: string): Problem[] => [
  ...channelsOf(value).flatMap((place) => [
    ...findIssuePath(place),
    ...findCertificate(place, folder),
    ...findAgent(place),
  ]),
  ...findListener(value),
]

function findIssuePath({ path, config, socket }: Place): Problem[] {
  const issuePath = textOf(config['tokenIssuePath'])
  // What is none is wrong for itself.
  if (!issuePath.startsWith('/') || toPath(issuePath) !== toPath(socket)) return []
  const rule = 'token_issue_path must differ from path (the WebSocket upgrade path)'
  return [problem([...path, 'tokenIssuePath'], rule, `'${issuePath}'`)]
}

function findCertificate({ path, config }: Place, folder: string): Problem[] {
  const [certificate, key] = [textOf(config['sslCertfile']), textOf(config['sslKeyfile'])]
  if ((certificate === '') !== (key === '')) {
    const missing = certificate === '' ? 'sslCertfile' : 'sslKeyfile'
    return [problem([...path, missing], 'sslCertfile and sslKeyfile must be both set, or both empty')]
  }
  if (certificate === '' || config['enabled'] !== true) return []
  const wrong = [
    ...findWrong([...path, 'sslCertfile'], certificate, (file) => parseCertificate(resolve(folder, file))),
    ...findWrong([...path, 'sslKeyfile'], key, (file) => parseKey(resolve(folder, file))),
  ]
  if (wrong.length > 0 || isPair(resolve(folder, certificate), resolve(folder, key))) return wrong
  return [problem([...path, 'sslKeyfile'], 'does not belong to sslCertfile', `'${key}'`)]
}

function findWrong(path: Path, file: string, parse: (file: string) => unknown): Problem[] {
  try {
    parse(file)
    return []
  } catch (error) {
    return [problem(path, error instanceof Error ? error.message : String(error), `'${file}'`)]
  }
}

function findAgent({ path, config }: Place): Problem[] {
  const agent = config['agent']
  if (!isRecord(agent)) return []
  const needs = (key: string, why: string): Problem[] =>
    textOf(agent[key]) === '' ? [problem([...path, 'agent', key], `is needed${why}`)] : []
  if (agent['type'] === 'module') return needs('path', ': the file of the agent')
  // Others may have one model, and know which.
  if (agent['type'] === 'openai' && agent['baseUrl'] === undefined) return needs('model', ' where there is no baseUrl')
  return []
}

/** Its listener may be one of `web`, where that is the very same. */
function findListener(value: unknown): Problem[] {
  const main = valueAt(value, MAIN)
  if (!isRecord(main) || main['enabled'] !== true) return []
  const host = textOf(main['host'], by.host.default)
  const port = typeof main['port'] === 'number' ? main['port'] : by.port.default
  const near = addressesOf(value).filter(({ address }) => meet(address, { host, port }))
  const shared = near.find(({ address }) => address.host === host)
  if (shared === undefined) {
    return near.map(() => problem([...MAIN, 'port'], `is ${port}, which an address of web.listen has already`))
  }
  const encrypted = textOf(main['sslCertfile']) !== ''
  if (shared.address.secure || encrypted) {
    const rule =
      'web.listen has the same address: certificates are those of tls there, or the channel needs a port of its own'
    return [problem([...MAIN, encrypted ? 'sslCertfile' : 'port'], rule)]
  }
  return findTaken(value, main)
}

/** Paths that a route of `web` has on the same listener. */
function findTaken(value: unknown, main: Readonly<Record<string, unknown>>): Problem[] {
  const given = [
    ['path', textOf(main['path'], by.path.default)],
    ['tokenIssuePath', textOf(main['tokenIssuePath'])],
  ] as const
  return given.flatMap(([key, path]) =>
    listOf(valueAt(value, ['web', 'routes'])).flatMap((route, i) => {
      const match = textOf(valueAt(route, ['match']))
      const exact = valueAt(route, ['exact']) === true || (match !== '' && !match.endsWith('/'))
      return exact && toPath(match) === toPath(path)
        ? [problem([...MAIN, key], `is '${path}', which web.routes[${i}] has already`)]
        : []
    }),
  )
}

/** What is right, and worth a word at each start. */
export const findChannelOddities = (value: unknown): Problem[] =>
  channelsOf(value).flatMap((place) => {
    const { path, config, route } = place
    if (route === null && config['enabled'] !== true) return []
    const warn = (key: string, rule: string): Problem => problem([...path, key], rule)
    const token =
      textOf(config['token']) !== '' || textOf(valueAt(value, ['web', 'routes', route ?? -1, 'token'])) !== ''
    const issues = textOf(config['tokenIssuePath']) !== ''
    const secret = textOf(config['tokenIssueSecret']) !== ''
    const needsToken = config['websocketRequiresToken'] !== false
    const allowed = Array.isArray(config['allowFrom']) ? config['allowFrom'] : by.allowFrom.default
    const host = textOf(config['host'], by.host.default)
    const open = (!token && !needsToken) || (issues && !secret)
    return [
      ...(allowed.length === 0 ? [warn('allowFrom', 'lets nobody in: each client is answered with 403')] : []),
      ...(needsToken && !token && !issues
        ? [
            warn(
              'websocketRequiresToken',
              'no credential can be accepted, each client is answered with 401: set token or tokenIssuePath, or say false',
            ),
          ]
        : []),
      ...(issues && !secret
        ? [
            warn(
              'tokenIssueSecret',
              token
                ? 'is empty: ANYBODY GETS TOKENS, and with one gets past `token`'
                : 'is empty: anybody can get tokens',
            ),
          ]
        : []),
      ...(route === null && open && !isLoopback(host)
        ? [warn('host', `ANYBODY who can reach ${host} can talk to the agent: no secret is asked for`)]
        : []),
      ...(route === null
        ? []
        : ['host', 'port', 'path', 'sslCertfile', 'sslKeyfile']
            .filter((key) => config[key] !== undefined)
            .map((key) => warn(key, 'is that of the route and its listener, ignored'))),
    ]
  })
