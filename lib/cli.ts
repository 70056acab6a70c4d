#!/usr/bin/env node
import cluster from 'node:cluster'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { logAsJson } from './observe/sink.ts'
import { parts } from './parts.ts'
import { followSignals } from './signals.ts'
import { isLoopback } from './web/config/endpoint.ts'
import { ConfigError } from './web/config/error.ts'
import { effectiveConfig, loadConfig } from './web/config/load.ts'
import { INITIAL, printConfig } from './web/config/print.ts'
import type { RouteSettings, Settings } from './web/config/settings.ts'
import type { ChannelRoute } from './web/config/channel-settings.ts'
import type { OneBotServer } from './web/config/onebot-settings.ts'
import { PUBLIC } from './web/dispatch.ts'
import { withoutSecrets } from './web/without-secrets.ts'
import { version } from './version.ts'
import { createHost, type Host } from './web/host.ts'
import { describe } from './web/listening.ts'
import { openStatus } from './web/status.ts'
import { rError, rInfo } from './websock/log.ts'
import type { Started } from './workers/messages.ts'
import { Primary } from './workers/primary.ts'
import { work } from './workers/worker.ts'

const HELP = `Usage: fiberws [config.json5] [options]

Serves the routes of a JSON5 config file.

Options:
  --listen HOST:PORT   listen here instead, with https:// in front for TLS; may be repeated
  --engine NAME        auto, uws or node
  --data DIR           where the world is kept: accounts, messages, keys
  --workers N          so many processes, or auto: one for each core
  --check              check the config, load its modules, print what is wrong, and exit
  --print-config       print the config as it counts, with its defaults, and exit
  --init [FILE]        write a commented config to begin with, and exit; default fiberws.json5
  --version            print the version and exit
  --help               print this and exit

What flags say can also be said by the environment: FIBERWS_LISTEN (commas between several), FIBERWS_ENGINE, FIBERWS_WORKERS,
FIBERWS_DATA; FIBERWS_CHANNEL_PORT is the port of channels.websocket,
FIBERWS_ONEBOT_PORT that of the first of network.websocketServers.

Ctrl-C or SIGTERM stops the server: clients get Close 1001, a second signal ends it at once. SIGHUP reads the config again:
connections of routes that stay are kept.`

/** What is served when no config is named: the samples of the repository, which the package does not have. */
const SAMPLES = fileURLToPath(new URL('../samples/web.json5', import.meta.url))

const fail = (text: string): never => {
  process.stderr.write(`${text}\n`)
  process.exit(1)
}

function readArguments(): ReturnType<typeof parse> {
  try {
    return parse()
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\nTry --help`)
  }
}

const parse = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      'listen': { type: 'string', multiple: true },
      'engine': { type: 'string' },
      'workers': { type: 'string' },
      'data': { type: 'string' },
      'check': { type: 'boolean' },
      'print-config': { type: 'boolean' },
      'init': { type: 'boolean' },
      'version': { type: 'boolean' },
      'help': { type: 'boolean', short: 'h' },
    },
  })

function findFile(positionals: readonly string[]): string {
  if (positionals.length > 1) return fail('One config file at a time. Try --help')
  const file = positionals[0] ?? (existsSync(SAMPLES) ? SAMPLES : null)
  return file ?? fail('Name a config file, as in: fiberws my.json5 (fiberws --init writes one to start with)')
}

/** Writes a config where there is none. */
function initialize(file = 'fiberws.json5'): void {
  try {
    writeFileSync(file, INITIAL, { flag: 'wx' })
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    fail(
      exists ? `${file} exists: name another file` : `${file}: ${missing ? 'there is no such folder' : String(error)}`,
    )
  }
  console.log(`${file} is written. Start with: fiberws ${file}`)
}

/** Whether a host could start, as far as that can be said without opening a port. */
async function check(host: Host): Promise<void> {
  const code = await host.check()
  for (const warning of host.warnings) process.stderr.write(`warning: ${warning}\n`)
  if (code !== 0) fail(host.error ?? 'Cannot start')
  const { length } = host.warnings
  console.log(length === 0 ? 'ok' : `ok, with ${length} warning${length === 1 ? '' : 's'}`)
}

/** A line of the command itself: for people, and in a log of JSON one like the others. */
const say = ({ observe }: Settings, line: string): void =>
  observe.log === 'json' ? rInfo('fiberws', '%s', line) : console.log(line)

/** One line for each listener, and one for each route with what to try. */
function announce(settings: Settings, { engine, listening }: Started): void {
  const { workers, routes } = settings
  say(settings, `fiberws ${version()}, ${engine}${workers === 1 ? '' : `, ${workers} workers`}`)
  for (const { url, endpoint } of listening) {
    say(settings, `listening on ${url}`)
    for (const route of routes) {
      const isShown = route.channel?.part !== 'nothing' && !(route.onebot !== null && route.exact)
      if (route.listeners.includes(endpoint.name) && isShown) {
        say(settings, `  ${toLine(route, url)}`)
      }
    }
  }
  for (const { onebot } of routes) {
    if (onebot !== null && onebot.kind !== 'server')
      say(settings, `onebot   ${onebot.name} → ${withoutSecrets(onebot.url)}`)
  }
  for (const { url, endpoint, port } of listening) {
    for (const { match, listeners, channel } of routes) {
      if (channel?.part !== 'socket' || !listeners.includes(endpoint.name)) continue
      // nanobot's own words: who looks for them finds them.
      const scheme = url.startsWith('https:') ? 'wss' : 'ws'
      say(settings, `WebSocket server listening on ${scheme}://${endpoint.host}:${port}${match}`)
      const { issuePath } = channel.settings
      if (issuePath !== null) say(settings, `WebSocket tokens are issued at ${url}${issuePath}`)
    }
  }
}

/** What can be tried at a route. */
function toLine({ match, handler, redirect, segments, exact, channel, onebot }: RouteSettings, url: string): string {
  const path = match.startsWith('/') ? match : `/${match}`
  const kind = redirect === null ? handler : 'redirect'
  const socket = url.replace(/^http/, 'ws')
  if (segments !== null) return `${kind.padEnd(8)} ${url}${match}/auth/login and the rest of its API`
  if (channel !== null) return toChannelLine(channel, path, url)
  if (onebot?.kind === 'server') return toOneBotLine(onebot, path, url)
  if (kind === 'gateway' && exact) return `${kind.padEnd(8)} ${socket}${path}?token=…`
  return `${kind.padEnd(8)} ${kind === 'action' ? socket : url}${path}`
}

/** A channel has a socket, and may have a place that gives tokens. */
function toChannelLine({ part, settings }: ChannelRoute, path: string, url: string): string {
  if (part === 'tokens') return `tokens   ${url}${path}`
  const needsToken = settings.token !== null || settings.requiresToken
  return `agent    ${url.replace(/^http/, 'ws')}${path}?client_id=alice${needsToken ? '&token=…' : ''}`
}

function toOneBotLine({ webSockets, token, generatesToken }: OneBotServer, path: string, url: string): string {
  const credential = token !== null || generatesToken ? '?access_token=…' : ''
  return webSockets
    ? `onebot   ${url.replace(/^http/, 'ws')}${path}${credential}`
    : `onebot   ${url}${path}get_login_info${credential}`
}

/** A start that opens doors to the network says so; what there is to say about agents and bots is a warning of the config. */
function noticeOpenDoors({ routes, endpoints }: Settings): void {
  const doors = routes.filter(
    ({ authenticates, role, channel, onebot }) =>
      !authenticates && channel === null && onebot === null && (role === null || role === PUBLIC),
  )
  for (const { host, name } of endpoints) {
    const open = doors.filter(({ listeners }) => listeners.includes(name))
    const names = open.map(({ match }) => `'${match}'`).join(', ')
    if (isLoopback(host) || open.length === 0) continue
    process.stderr.write(`notice: '${host}' can be reached from the network, and asks no credential for ${names}\n`)
  }
}

/** Reads the config again; null, and told, where it cannot be used. */
function loadAgain(load: () => Settings): Settings | null {
  try {
    return load()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const line of error.message.split('\n')) rError('reload', '%s', line)
    rError('reload', 'the old config stays')
    return null
  }
}

/** One process that serves. */
async function serve(settings: Settings, load: () => Settings): Promise<void> {
  const host = createHost(settings, parts)
  // Before anything that takes time: a signal that nobody listens for ends the process.
  followSignals({
    stop: () => {
      say(settings, `stopping, ${host.connections} connections`)
      return host.stop()
    },
    reload: async () => {
      const next = loadAgain(load)
      if (next === null) return
      if ((await host.reload(next)) !== 0) return rError('reload', '%s: the old config stays', host.error)
      warnOfWorkers(settings, next)
      say(settings, `reloaded: ${next.routes.length} routes, ${host.connections} connections`)
    },
  })
  if ((await host.start()) !== 0) fail(host.error ?? 'Cannot start')
  const { engine, listening } = host
  announce(settings, { engine: `${engine?.name} engine ${engine?.version}`, listening })
  if (host.status !== null) say(settings, `metrics on ${host.status.url}/metrics`)
  // For who sits there; a log is kept by others.
  if (settings.observe.log === 'text') for (const note of host.notes) console.log(note)
  noticeOpenDoors(settings)
}

const warn = (text: string): void => rError('reload', 'warning: %s', text)

const warnOfWorkers = (settings: Settings, next: Settings): void => {
  if (next.workers !== settings.workers) warn('web.workers counts after a restart')
}

/** A process that keeps workers, which serve. */
async function lead(settings: Settings, load: () => Settings): Promise<void> {
  if (settings.observe.log === 'json') logAsJson()
  const starting = Primary.start(settings).catch((error: unknown) => fail(describe(error)))
  let primary: Primary | null = null
  followSignals({
    stop: async () => {
      say(settings, `stopping ${settings.workers} workers`)
      await (await starting).primary.stop()
    },
    kill: () => primary?.kill(),
    reload: async () => {
      const next = loadAgain(load)
      if (next === null) return
      const error = await (await starting).primary.reload(next)
      if (error !== null) return rError('reload', '%s: the old config stays', error)
      warnOfWorkers(settings, next)
      if (!isDeepStrictEqual(next.observe, settings.observe)) warn('observe counts after a restart')
      say(settings, `reloaded: ${next.routes.length} routes, ${settings.workers} workers`)
    },
  })
  const { started, primary: leader } = await starting
  primary = leader
  const status = await openStatus(settings.observe, parts, leader, createHost).catch((error: unknown) => {
    leader.kill()
    return fail(describe(error))
  })
  announce(settings, started)
  if (status !== null) say(settings, `metrics on ${status.listening[0]?.url}/metrics`)
  noticeOpenDoors(settings)
}

async function main(): Promise<void> {
  if (cluster.isWorker) return work((settings) => createHost(settings, parts))
  const args = readArguments()
  if (args.values.help) return console.log(HELP)
  if (args.values.version) return console.log(version())
  if (args.values.init) return initialize(args.positionals[0])
  const file = findFile(args.positionals)
  const load = (): Settings => loadConfig(file, { flags: args.values })
  if (args.values['print-config']) {
    // Not without having been checked.
    load()
    const { value, hidden } = effectiveConfig(file, { flags: args.values })
    return console.log(printConfig(value, hidden))
  }
  if (args.values.check) return check(createHost(load(), parts))
  const settings = load()
  return settings.workers === 1 ? serve(settings, load) : lead(settings, load)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  fail(error.message)
}
