import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Action, Does } from '../../../lib/onebot/actions/action.ts'
import { ACTIONS } from '../../../lib/onebot/actions/table.ts'
import { root } from '../../docs/tables.ts'
import { Bots } from '../../support/onebot.ts'
import { CONSTANT_ROWS } from '../walk/constants.ts'
import { FILE_ROWS } from '../walk/files.ts'
import { FILTER_ROWS } from '../walk/filters.ts'
import { GROUP_ROWS } from '../walk/groups.ts'
import { MESSAGE_ROWS } from '../walk/messages.ts'
import { PEOPLE_ROWS } from '../walk/people.ts'
import type { Row } from '../walk/row.ts'

/*
 * No action answers `ok` for nothing: somebody else sees what it has done, or it says what others have done, or the docs say
 * that it is constant.
 */

const TABLES: readonly Readonly<Record<string, Row>>[] = [
  MESSAGE_ROWS,
  GROUP_ROWS,
  PEOPLE_ROWS,
  FILE_ROWS,
  FILTER_ROWS,
  CONSTANT_ROWS,
]
const ROWS: ReadonlyMap<string, Row> = new Map(TABLES.flatMap((rows) => Object.entries(rows)))

/** What the docs say that each action does here. */
const WORDS: ReadonlyMap<string, string> = new Map(
  Array.from(
    readFileSync(join(root, 'docs/onebot.md'), 'utf8').matchAll(/^\| `([^`]+)` +\|(?:[^|]*\|){3} ([^|]*?) +\|/gm),
    ([, name = '', words = '']) => [name, words],
  ),
)

const ALL = Array.from(ACTIONS.values(), (action) => [action.name, action.does, action] as const)

// What is not there is asked of one bot: nothing comes of it.
const folder = mkdtempSync(join(tmpdir(), 'fiberws-walk-'))
let bots: Bots
beforeAll(async () => {
  bots = await Bots.start('node', { folder })
  bots.gateway.keep()
})
afterAll(async () => {
  await bots.gateway.free()
  rmSync(folder, { recursive: true })
})

const isNotThere = async (name: string): Promise<void> => {
  const client = await bots.connect()
  expect(await client.call(name, {})).toMatchObject({
    status: 'failed',
    retcode: 1404,
    data: null,
    message: `${name}: not available on this platform`,
  })
}

async function walk(name: string, does: Does, action: Action): Promise<void> {
  const words = WORDS.get(name) ?? ''
  if (does === 'unsupported') {
    expect(words).toBe('not there: 1404')
    return isNotThere(name)
  }
  const row = ROWS.get(name)
  if (row === undefined) throw new Error(`nobody says how ${name} is seen`)
  expect([does, words.startsWith('constant: ')]).toEqual([row.does, row.does === 'constant'])
  await row.walk(action)
}

describe('each action', () => {
  it.each(ALL)('%s: %s', walk)

  it('is in one table, and nothing else is', () => {
    const names = TABLES.flatMap((rows) => Object.keys(rows))
    const there = ALL.filter(([, does]) => does !== 'unsupported').map(([name]) => name)
    expect(names.toSorted()).toEqual(there.toSorted())
  })
})
