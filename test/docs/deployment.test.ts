import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import JSON5 from 'json5'
import { describe, expect, it } from 'vitest'
import { crowdLimit } from '../../lib/engine/port.ts'
import { checkConfig, loadConfig } from '../../lib/web/config/load.ts'
import { Command } from '../support/command.ts'
import { readTable, root } from './tables.ts'

const GUIDE = 'docs/deployment.md'
const SAMPLES = 'samples/deploy'
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

const guide = read(GUIDE)
const unit = read(`${SAMPLES}/fiberws.service`)
const config = join(root, SAMPLES, 'config.json5')
const environment = { APP: join(root, 'samples'), OBSERVE_TOKEN: 'hush' }
const settings = loadConfig(config, { environment })
const sources = ['lib', 'samples/echo']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((name) => name.endsWith('.ts'))
  .map(read)
  .join('\n')

/** What a unit says under a key, each time. */
const valuesOf = (key: string): string[] =>
  Array.from(unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm')), ([, value]) => value ?? '')

describe('docs/deployment.md', () => {
  it('names the files of samples/deploy, and only what is there', () => {
    const named = Array.from(guide.matchAll(/\bsamples\/deploy\/([\w.]+)/g), ([, name]) => name)
    expect(new Set(named)).toEqual(new Set(readdirSync(join(root, SAMPLES))))
  })

  it('its configs are right', () => {
    const blocks = Array.from(guide.matchAll(/^```json5\n(.*?)^```/gms), ([, block]) => block ?? '')
    expect(blocks.length).toBeGreaterThan(0)
    const live = '/etc/letsencrypt/live/example.com/'
    for (const block of blocks) {
      const own = block.replace(`${live}fullchain.pem`, 'cert.pem').replace(`${live}privkey.pem`, 'key.pem')
      expect(checkConfig(JSON5.parse(own), join(root, 'test/support/tls')).warnings).toEqual([])
    }
  })

  it('its metrics are there', () => {
    const named = Array.from(guide.matchAll(/\bfiberws_[a-z_]+/g), ([name]) => name)
    expect(named.length).toBeGreaterThan(4)
    expect(named.filter((name) => !sources.includes(`'${name}'`))).toEqual([])
  })

  it('what fiberws says, it says so', () => {
    const rows = readTable(GUIDE, 'Symptom').filter(([, who]) => who === 'fiberws')
    const texts = rows.flatMap(([symptom = '']) => Array.from(symptom.matchAll(/`([^`]+)`/g), ([, text]) => text ?? ''))
    expect(texts.length).toBeGreaterThan(8)
    // Phrases of the standard are node's; what is put into a text is not in the source.
    const standard = new Set(['Misdirected Request', 'Too Many Requests'])
    const fixed = (text: string): string => text.replace('OBSERVE_TOKEN', '${name}').replace(/EACCES$/, '${code}')
    expect(texts.filter((text) => !standard.has(text) && !sources.includes(fixed(text)))).toEqual([])
    const reasons = readTable(GUIDE, 'initiator').flatMap(([, cell = '']) =>
      Array.from(cell.matchAll(/\d{4} `([^`…]+)/g), ([, text]) => text?.trim() ?? ''),
    )
    expect(reasons.length).toBeGreaterThan(7)
    expect(reasons.filter((text) => !sources.includes(text.replace(/:$/, '')))).toEqual([])
  })
})

describe('samples/deploy', () => {
  it('the config passes --check, with the environment that the guide sets', async () => {
    const named = Array.from(new Set(read(`${SAMPLES}/config.json5`).matchAll(/\$\{(\w+)\}/g)), ([, name]) => name)
    expect(new Set(named)).toEqual(new Set(Object.keys(environment)))
    for (const name of named) expect(guide).toMatch(new RegExp(`printf '.*${name}=`))
    const check = new Command([config, '--check'], environment)
    expect([await check.exit, check.out, check.err]).toEqual([0, 'ok\n', ''])
  })

  it('commands of the unit have options that there are, and the files of the guide', () => {
    const help = read('lib/cli.ts')
    const commands = ['ExecStartPre', 'ExecStart', 'ExecReload'].flatMap(valuesOf)
    const own = commands.filter((command) => command.includes('fiberws'))
    expect(own.length).toBe(3)
    for (const command of own) {
      const [node, bin = '', file = '', ...options] = command.split(' ')
      expect(node).toBe('/usr/bin/node')
      expect(guide).toContain(`\n${bin} --version`)
      expect(guide).toContain(` ${file} --check'`)
      expect(options.filter((option) => !new RegExp(`^  ${option}\\b`, 'm').test(help))).toEqual([])
    }
    expect(valuesOf('ExecReload').at(-1)).toBe('/bin/kill -HUP $MAINPID')
    for (const file of valuesOf('EnvironmentFile')) expect(guide).toContain(`>${file})`)
    for (const user of valuesOf('User')) expect(guide).toMatch(new RegExp(`^useradd .* ${user}$`, 'm'))
  })

  it('numbers of the unit and of nginx fit the config', () => {
    const { maxConnections } = settings.server
    expect(Number(valuesOf('LimitNOFILE')[0])).toBeGreaterThan(crowdLimit(maxConnections) + 150)
    const drain = maxConnections / settings.drainRate + (2 * settings.drain) / 1000
    expect(Number(valuesOf('TimeoutStopSec')[0])).toBeGreaterThan(drain)
    const patience = /proxy_read_timeout (\d+)s;/.exec(read(`${SAMPLES}/nginx.conf`))?.[1]
    expect(Number(patience) * 1000).toBeGreaterThan(2 * settings.webSockets.pingPeriod)
    for (const proxy of ['nginx.conf', 'Caddyfile']) {
      const { host, port } = settings.endpoints[0] ?? {}
      expect(read(`${SAMPLES}/${proxy}`)).toContain(`${host}:${port}`)
    }
    const { host, port } = settings.observe.endpoint ?? {}
    expect(guide).toContain(`- targets: ['${host}:${port}']`)
  })

  it('systemd finds nothing wrong with the unit', ({ skip }) => {
    const { error } = spawnSync('systemd-analyze', ['--version'])
    skip(error !== undefined, 'there is no systemd-analyze here')
    const folder = mkdtempSync(join(tmpdir(), 'fiberws-unit-'))
    const file = join(folder, 'fiberws.service')
    // It looks for the programs: node may be elsewhere.
    writeFileSync(file, unit.replaceAll('/usr/bin/node', process.execPath))
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['--man=no', 'verify', file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    // Other units of this machine are none of our business.
    const lines = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('fiberws'))
    expect([status, lines]).toEqual([0, []])
  })
})
