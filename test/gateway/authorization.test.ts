import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OPERATIONS } from '../../lib/gateway/operations.ts'
import { findRoutes } from '../fuzz/gateway/routes.ts'
import { engines } from '../support/server.ts'
import { matters, type Mode, MODES } from './authorization/callers.ts'
import { answersOf, expectedOf, foreignAnswersOf, foreignOf, ROWS, rowsIn, told } from './authorization/matrix.ts'
import { heardBy, listenTo, OPERATION_ROWS } from './authorization/operations.ts'
import { Stage } from './authorization/stage.ts'

/*
 * Who may do what: each route of the HTTP API and each operation of the socket, for nine callers. A row says who may; what each
 * is answered is computed from it.
 */

/** What a row is called in a mode. */
const TITLES: Readonly<Record<Mode, (title: string) => string>> = {
  plain: (title) => title,
  hidden: (title) => `gateway trap T24: ${title}, in a channel that most do not see`,
  denied: (title) => `gateway trap T44: ${title}, in a channel that denies it to everyone`,
  allowed: (title) => `${title}, in a channel that allows it to everyone`,
  silenced: (title) => `${title}, in a timeout`,
}

const once = (names: readonly string[]): string[] => [...new Set(names)].toSorted()

describe('the table of who may do what', () => {
  it('has each route, and no other', () => {
    expect(once(ROWS.map(({ spec }) => spec))).toEqual(once(findRoutes().map(({ spec }) => spec)))
    expect(once(ROWS.map(({ title }) => title))).toHaveLength(ROWS.length)
  })

  it('has each operation of the socket, and no other', () => {
    expect(once(OPERATION_ROWS.map(({ op }) => op))).toEqual(once(['HEARTBEAT', ...Object.keys(OPERATIONS)]))
  })
})

describe.each(engines)('who may do what, on %s', (engine) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await Stage.make(engine)
  })
  afterAll(() => stage.free())

  for (const mode of MODES) {
    for (const row of rowsIn(mode)) {
      it(TITLES[mode](row.title), async () => {
        expect(await answersOf(stage, row, mode)).toEqual(expectedOf(row, mode))
      })
    }
    for (const row of OPERATION_ROWS.filter(({ rule }) => matters(mode, rule))) {
      it(TITLES[mode](row.op), async () => {
        expect(await listenTo(stage, row, mode)).toEqual(heardBy(row, mode))
      })
    }
  }

  for (const row of ROWS.filter((one) => foreignOf(one).length > 0)) {
    it(`${row.title}, with what is of another server`, async () => {
      const wrong = ({ spec }: typeof row) => (spec.endsWith('/vote') ? '400 VALIDATION' : '404 NOT_FOUND')
      const expected = Object.fromEntries(foreignOf(row).map((thing) => [thing, wrong(row)]))
      expect(await foreignAnswersOf(stage, row)).toEqual(expected)
    })
  }

  it('gateway trap T52: a bot with a token that ends is a bot all the same', async () => {
    const other = await Stage.make(engine)
    await other.useBotJwt()
    const answers: string[] = []
    for (const row of ROWS.filter(({ rule }) => rule.kind !== 'any')) {
      const { things } = await other.scene(row, 'plain')
      answers.push(told(await other.ask(row, things, 'bot')))
    }
    await other.free()
    // It is the lasting token that gets another.
    expect(once(answers)).toEqual(['403 FORBIDDEN'])
    expect(answers).toHaveLength(9)
  })
})
