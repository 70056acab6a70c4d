import { afterAll, expect, vi } from 'vitest'
import type * as observatory from '../../lib/observe/observatory.ts'
import { rSetLogSink } from '../../lib/websock/log.ts'

/*
 * For each file of tests: every host logs its connections, and no line of the log has a secret in it. Secrets are the tokens of
 * all configs that a host was started with; those of a letter or two would be found in anything.
 */

vi.mock('../../lib/observe/observatory.ts', async (load) => {
  const original = await load<typeof observatory>()
  const { Host } = await import('../../lib/web/host.ts')
  const createObservatory: typeof original.createObservatory = (host, settings) => {
    if (host instanceof Host) {
      keep([...host.settings.routes, settings].map(({ token }) => token))
      for (const { channel } of host.settings.routes) {
        keep([channel?.settings.token ?? null, channel?.settings.issueSecret ?? null])
      }
    }
    return original.createObservatory(host, { ...settings, connections: true })
  }
  return { ...original, createObservatory }
})

const SHORTEST = 3
const secrets = new Set<string>()
const leaks: string[] = []

function keep(tokens: readonly (string | null)[]): void {
  for (const token of tokens) {
    if (token === null || token.length < SHORTEST) continue
    for (const spelling of [token, encodeURIComponent(token), encodeURI(token)]) secrets.add(spelling)
  }
}

/** Goes on to the standard sink, but for connections: there are too many. */
rSetLogSink((level, source, message, fields) => {
  const line = `${source} ${level} ${message} ${fields === undefined ? '' : JSON.stringify(fields)}`
  for (const secret of secrets) if (line.includes(secret)) leaks.push(line)
  // Those of the agent channel are made while it runs.
  if (/nbwt_[\w-]{43}/.test(line)) leaks.push(line)
  if (source === 'conn' || level === 'trace') return
  if (level === 'error') console.error(`${source} ${level} ${message}`)
  else console.info(`${source} ${level} ${message}`)
})

afterAll(() => {
  expect(leaks).toEqual([])
})
