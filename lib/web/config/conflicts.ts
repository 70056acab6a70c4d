import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { matches } from '../router.ts'
import { type Path, type Problem, valueAt, walk } from './check.ts'
import { findChannelConflicts, findChannelOddities } from './channel-conflicts.ts'
import { findOneBotConflicts, findOneBotOddities, hasBots } from './onebot-conflicts.ts'
import { addressesOf, meet } from './addresses.ts'
import { isLoopback, parseEndpoint } from './endpoint.ts'
import { isPair } from './tls.ts'

/** What is right for itself, and wrong together. */
export function findConflicts(value: unknown, folder: string): Problem[] {
  return [
    ...findTlsConflicts(value, folder),
    ...findListenConflicts(value),
    ...findEngineConflicts(value),
    ...findOpenDoors(value),
    ...findWorldConflicts(value),
    ...findIceConflicts(value),
    ...findChannelConflicts(value, folder),
    ...findOneBotConflicts(value),
  ]
}

const problem = (path: Path, rule: string, got = ''): Problem => ({ path, rule, got })

function findTlsConflicts(value: unknown, folder: string): Problem[] {
  const problems: Problem[] = []
  const tls = (...path: Path): unknown => valueAt(value, ['tls', ...path])
  if (tls() === undefined && addressesOf(value).some(({ address }) => address.secure)) {
    problems.push(problem(['web', 'listen'], 'https needs tls.certificate and tls.key'))
  }
  const verifies = tls('verify', 'client') === true
  if (verifies && tls('verify', 'issuer') !== false && tls('authority') === undefined) {
    problems.push(problem(['tls', 'verify', 'issuer'], 'needs tls.authority: whose certificates are good'))
  }
  if (verifies && valueAt(value, ['web', 'engine']) === 'uws') {
    problems.push(problem(['tls', 'verify', 'client'], "needs engine: 'node'; uws cannot ask for certificates"))
  }
  const [certificate, key] = [tls('certificate'), tls('key')]
  if (typeof certificate === 'string' && typeof key === 'string') {
    if (!isPair(resolve(folder, certificate), resolve(folder, key))) {
      problems.push(problem(['tls', 'key'], 'does not belong to tls.certificate', key))
    }
  }
  const ciphers = tls('ciphers')
  for (const [i, cipher] of Array.isArray(ciphers) ? ciphers.entries() : []) {
    if (typeof cipher === 'string' && !isCipher(cipher)) {
      problems.push(
        problem(['tls', 'ciphers', i], 'is no name of OpenSSL (`openssl ciphers -v` has them)', `'${cipher}'`),
      )
    }
  }
  return problems
}

function isCipher(name: string): boolean {
  try {
    createSecureContext({ ciphers: name })
    return true
  } catch {
    return false
  }
}

function findListenConflicts(value: unknown): Problem[] {
  const listen = valueAt(value, ['web', 'listen'])
  if (Array.isArray(listen) && listen.length === 0) {
    return [problem(['web', 'listen'], 'has no address: name one, or leave it out')]
  }
  const addresses = addressesOf(value)
  return addresses.flatMap(({ path, address }, i) =>
    addresses.slice(0, i).some((other) => meet(address, other.address))
      ? [problem(path, `has port ${address.port}, which another address here has already`)]
      : [],
  )
}

/** What uws cannot do. */
function findEngineConflicts(value: unknown): Problem[] {
  if (valueAt(value, ['web', 'engine']) !== 'uws') return []
  const routes = valueAt(value, ['web', 'routes'])
  return (Array.isArray(routes) ? routes : []).flatMap((_, i) =>
    valueAt(routes, [i, 'backpressure']) === 'pause'
      ? [problem(['web', 'routes', i, 'backpressure'], "needs engine: 'node'; uws cannot make a peer wait", "'pause'")]
      : [],
  )
}

/** A world is one, and in one process. */
function findWorldConflicts(value: unknown): Problem[] {
  const given = valueAt(value, ['web', 'routes'])
  const routes = (Array.isArray(given) ? given : []).map((_, i) => valueAt(given, [i, 'handler']))
  const gateways = routes.flatMap((handler, i) => (handler === 'gateway' ? [i] : []))
  const again = gateways
    .slice(1)
    .map((i) => problem(['web', 'routes', i], `is a second gateway: web.routes[${gateways[0]}] is one`))
  const workers = valueAt(value, ['web', 'workers'])
  const agents = routes.includes('agent') || valueAt(value, ['channels', 'websocket', 'enabled']) === true
  const bots = hasBots(value)
  if ((gateways.length === 0 && !agents && !bots) || workers === undefined || Number(workers) === 1) return again
  const what = gateways.length > 0 ? 'a gateway' : agents ? 'an agent channel' : 'a bot'
  return [...again, problem(['web', 'workers'], `is for one process where there is ${what}: say 1`)]
}

/** What browsers would not take: a call fails there, long behind the start. */
function findIceConflicts(value: unknown): Problem[] {
  const servers = valueAt(value, ['gateway', 'iceServers'])
  return (Array.isArray(servers) ? servers : []).flatMap((_, i) => {
    const path: Path = ['gateway', 'iceServers', i]
    const has = (name: string): boolean => valueAt(servers, [i, name]) !== undefined
    const given = valueAt(servers, [i, 'urls'])
    const urls: unknown[] = Array.isArray(given) ? given : [given]
    const relays = urls.some((url) => typeof url === 'string' && /^turns?:/.test(url))
    const both = has('secret') && (has('username') || has('credential'))
    const known = has('secret') || (has('username') && has('credential'))
    return [
      ...(urls.length === 0 ? [problem([...path, 'urls'], 'has no address: name one')] : []),
      ...(both ? [problem([...path, 'secret'], 'is in place of username and credential: say one or the other')] : []),
      ...(relays && !known ? [problem(path, 'is for TURN, which needs `secret`, or `username` and `credential`')] : []),
    ]
  })
}

/** What tells about the host is not for everybody. */
function findOpenDoors(value: unknown): Problem[] {
  const listen = valueAt(value, ['observe', 'listen'])
  if (typeof listen !== 'string' || valueAt(value, ['observe', 'token']) !== undefined) return []
  try {
    if (isLoopback(parseEndpoint(listen).host)) return []
  } catch {
    return []
  }
  return [
    problem(['observe', 'listen'], 'can be reached from the network: set observe.token, or say 127.0.0.1', listen),
  ]
}

/** What is right, and hardly what was meant. */
export function findOddities(value: unknown, folder: string): Problem[] {
  const odd: Problem[] = []
  const note = (path: Path, rule: string): void => void odd.push(problem(path, rule))
  if (valueAt(value, ['tls']) !== undefined && !addressesOf(value).some(({ address }) => address.secure)) {
    note(['tls'], "no listener is https: say 'https://…' in web.listen, or with --listen")
  }
  const given = valueAt(value, ['web', 'routes'])
  const routes = (Array.isArray(given) ? given : []).map((_, i) => {
    const of = (key: string): unknown => valueAt(given, [i, key])
    const match = of('match')
    return { i, of, match: typeof match === 'string' ? match : '', exact: of('exact') === true }
  })
  for (const route of routes) {
    const { i, of, match } = route
    const at = (key: string): Path => ['web', 'routes', i, key]
    if (match !== '' && !match.startsWith('/')) note(at('match'), "matches nothing: paths begin with '/'")
    const first = routes.slice(0, i).find((earlier) => covers(earlier, route))
    if (first !== undefined) note(['web', 'routes', i], `is never reached: web.routes[${first.i}] has its paths`)
    const handler = of('handler') ?? 'file'
    if (of('module') !== undefined && handler !== 'action') note(at('module'), "is for handler: 'action', ignored")
    if (of('channel') !== undefined && handler !== 'agent') note(at('channel'), "is for handler: 'agent', ignored")
    for (const key of ['documents', 'compressed', 'cache']) {
      if (of(key) !== undefined && handler !== 'file') note(at(key), "is for handler: 'file', ignored")
    }
  }
  for (const { path } of walk(valueAt(value, ['web', 'mime']))) {
    const [name] = path
    if (typeof name === 'string' && !name.startsWith('.'))
      note(['web', 'mime', name], `matches nothing: say '.${name}'`)
  }
  return [...odd, ...findChannelOddities(value), ...findOneBotOddities(value, folder)]
}

type Match = Parameters<typeof matches>[0]

const isPrefix = ({ match, exact }: Match): boolean => !exact && (match === '' || match.endsWith('/'))

/** Whether all paths of one route are another's, too. */
const covers = (route: Match, other: Match): boolean =>
  isPrefix(route)
    ? matches(route, other.match === '' ? '/' : other.match)
    : !isPrefix(other) && route.match === other.match
