import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkConfig } from '../../lib/web/config/load.ts'
import { limits, timeouts } from '../../lib/web/config/schema.ts'
import { DEFAULTS } from '../../lib/websock/context.ts'
import { readTable, root } from './tables.ts'

const rows = readTable('docs/limits.md', 'Name').map(([name = '', value = '', unit = '']) => ({ name, value, unit }))
const valueOf = (name: string): string | undefined => rows.find((row) => row.name === `\`${name}\``)?.value
const show = (value: number): string =>
  value === 0 || value === Infinity ? 'none' : value.toLocaleString('en-US', { maximumFractionDigits: 6 })

const { server, webSockets, drain, admission, maxBuffered, drainRate } = checkConfig({}, '/')

/** What a config without a word comes to, by the key that would say it. */
const defaults: Readonly<Record<string, number>> = {
  'limits.header': server.maxHeader,
  'limits.body': server.maxBody,
  'limits.connections': server.maxConnections,
  'limits.requests': server.maxRequests,
  'limits.maxMessage': webSockets.maxMessage,
  'limits.maxFrame': webSockets.maxFrame,
  'limits.maxBackpressure': webSockets.maxBackpressure,
  // 0: the layer works it out, from what a row of its own says.
  'limits.maxQueue': webSockets.maxQueue || Math.max(1 << 20, 2 * webSockets.maxMessage),
  'limits.addressConnections': admission.addressConnections,
  'limits.addressRate': admission.addressRate,
  'limits.maxBuffered': maxBuffered,
  'limits.drainRate': drainRate,
  'timeouts.parse': server.parseTimeout,
  'timeouts.request': server.requestTimeout,
  'timeouts.inactivity': webSockets.timeout,
  'timeouts.drain': drain,
  'webSockets.ping': webSockets.pingPeriod,
}

describe('docs/limits.md', () => {
  it('has every limit and timeout of a config', () => {
    const keys = [
      ...Object.keys(limits).map((key) => `limits.${key}`),
      ...Object.keys(timeouts).map((key) => `timeouts.${key}`),
    ]
    expect(keys.filter((key) => valueOf(key) === undefined)).toEqual([])
    expect(keys.filter((key) => !(key in defaults))).toEqual([])
  })

  it.each(Object.entries(defaults))('%s is %d by default', (key, value) => {
    expect(valueOf(key)).toBe(show(value))
  })

  it.each(['maxMessage', 'maxFrame', 'timeout', 'pingPeriod'] as const)('%s of a client', (key) => {
    expect(valueOf(key)).toBeUndefined()
    expect(rows.find(({ name }) => name === `\`${key}\` of a client`)?.value).toBe(show(DEFAULTS[key]))
  })

  const constants = rows.flatMap(({ name, value }) => {
    const [, constant, file] = /^\[`(\w+)`\]\((.+)\)$/.exec(name) ?? []
    return constant === undefined || file === undefined ? [] : [{ constant, file, value }]
  })

  it.each(constants)('$constant of $file', ({ constant, file, value }) => {
    const code = readFileSync(join(root, 'docs', file), 'utf8')
    const written = new RegExp(`const ${constant} = (.+)`).exec(code)?.[1]
    expect(show(evaluate(written ?? ''))).toBe(value)
  })

  it('has what bounds OneBot', () => {
    const written = new Set(constants.map(({ constant, file }) => `${constant} of ${file.replace('../', '')}`))
    const inCode = readdirSync(join(root, 'lib/onebot'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `lib/onebot/${name}`)
      .flatMap((file) =>
        [...readFileSync(join(root, file), 'utf8').matchAll(/const ((?:MAX_|MOST|STAY)\w*) =/g)].map(
          ([, name]) => `${name} of ${file}`,
        ),
      )
    const others = new Set([
      // What is said of something, and in the log.
      'MAX_NAME of lib/onebot/dispatcher.ts',
      'MAX_LOGGED of lib/onebot/endpoint.ts',
      'MOST_NAMED of lib/onebot/media/uploads.ts',
      'MAX_MEMBERS of lib/onebot/world/reading.ts',
      // The longest that a timer takes.
      'MAX_WAIT of lib/onebot/transport/link.ts',
    ])
    expect(inCode.filter((one) => !written.has(one) && !others.has(one))).toEqual([])
  })

  it('looks at enough of them', () => {
    expect(constants.length).toBeGreaterThan(25)
    expect(rows.every(({ unit }) => unit !== '')).toBe(true)
  })
})

/** A number as the source writes it: `1 << 20`, `1 / 4`, `0x7fff_ffff`. */
function evaluate(text: string): number {
  const [left = NaN, right = NaN] = text.split(/<<|\//).map((part) => Number(part.replaceAll('_', '')))
  return text.includes('<<') ? left << right : text.includes('/') ? left / right : left
}
