#!/usr/bin/env node
import { existsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parts } from './parts.ts'
import { isLoopback } from './web/config/endpoint.ts'
import { ConfigError, effectiveConfig, loadConfig } from './web/config/load.ts'
import { INITIAL, printConfig } from './web/config/print.ts'
import { PUBLIC } from './web/dispatch.ts'
import { createHost, type Host } from './web/host.ts'

const HELP = `Usage: fiberws [config.json5] [options]

Serves the routes of a JSON5 config file.

Options:
  --listen HOST:PORT   listen here instead, with https:// in front for TLS; may be repeated
  --engine NAME        auto, uws or node
  --check              check the config, load its modules, print what is wrong, and exit
  --print-config       print the config as it counts, with its defaults, and exit
  --init [FILE]        write a commented config to begin with, and exit; default fiberws.json5
  --version            print the version and exit
  --help               print this and exit

What flags say can also be said by the environment: FIBERWS_LISTEN (commas between several), FIBERWS_ENGINE.

Ctrl-C or SIGTERM stops the server: clients get Close 1001, a second signal ends it at once.`

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
      'check': { type: 'boolean' },
      'print-config': { type: 'boolean' },
      'init': { type: 'boolean' },
      'version': { type: 'boolean' },
      'help': { type: 'boolean', short: 'h' },
    },
  })

function version(): string {
  // By the package's own name: this file runs from two depths of it.
  const manifest: unknown = createRequire(import.meta.url)('fiberws/package.json')
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known ? String(manifest.version) : 'unknown'
}

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

/** One line for each listener, and one for each route with what to try. */
function announce(host: Host): void {
  const { engine, listening, settings } = host
  console.log(`fiberws ${version()}, ${engine?.name} engine ${engine?.version}`)
  for (const { url } of listening) {
    console.log(`listening on ${url}`)
    for (const { match, handler, redirect } of settings.routes) {
      const path = match.startsWith('/') ? match : `/${match}`
      const kind = redirect === null ? handler : 'redirect'
      console.log(`  ${kind.padEnd(8)} ${kind === 'action' ? url.replace(/^http/, 'ws') : url}${path}`)
    }
  }
}

/** A start that opens doors to the network says so. */
function noticeOpenDoors({ settings }: Host): void {
  const open = settings.routes.filter(({ token, role }) => token === null && (role === null || role === PUBLIC))
  const names = open.map(({ match }) => `'${match}'`).join(', ')
  for (const { host } of settings.endpoints) {
    if (isLoopback(host) || open.length === 0) continue
    process.stderr.write(`notice: '${host}' can be reached from the network, and asks no credential for ${names}\n`)
  }
}

/** Milliseconds in which a terminal and what has started us may pass on the same Ctrl-C. */
const SAME_SIGNAL = 200

/** The first signal asks, the second does not. */
function stopOnSignal(host: Host): void {
  let stopping = 0
  const onSignal = (): void => {
    const now = performance.now()
    if (stopping !== 0) {
      if (now - stopping > SAME_SIGNAL) process.exit(1)
      return
    }
    stopping = now
    console.log(`stopping, ${host.connections} connections`)
    void host.stop().then(() => process.exit(0))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}

async function main(): Promise<void> {
  const args = readArguments()
  if (args.values.help) return console.log(HELP)
  if (args.values.version) return console.log(version())
  if (args.values.init) return initialize(args.positionals[0])
  const file = findFile(args.positionals)
  const settings = loadConfig(file, { flags: args.values })
  if (args.values['print-config']) {
    const { value, hidden } = effectiveConfig(file, { flags: args.values })
    return console.log(printConfig(value, hidden))
  }
  const host = createHost(settings, parts)
  if (args.values.check) return check(host)
  if ((await host.start()) !== 0) fail(host.error ?? 'Cannot start')
  // Whoever waits for the lines may send a signal at once.
  stopOnSignal(host)
  announce(host)
  noticeOpenDoors(host)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  fail(error.message)
}
