import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { open } from '../../support/door.ts'

/** More than the 511 of node's default. */
const MANY = 700
/** The system's own bound, where it tells. */
const SYSTEM = '/proc/sys/net/core/somaxconn'
const most = existsSync(SYSTEM) ? Number(readFileSync(SYSTEM, 'utf8')) : 0

// Was wrong: the system dropped all but 511 of those who came in one turn of the event loop, which takes one of them: they tried
// again after seconds, the last of 10,000 after 15 or 31.
it.runIf(most > MANY)('many connections of one moment all wait in the queue of the system', async () => {
  const { port } = await open('node', { limits: { connections: 'unlimited' } })
  let connected = 0
  const clients = Array.from({ length: MANY }, () => connect(port, '127.0.0.1', () => connected++))
  for (let i = 0; i < 20; i++) await turn()
  const there = connected
  for (const client of clients) client.destroy()
  expect(there).toBe(MANY)
})
