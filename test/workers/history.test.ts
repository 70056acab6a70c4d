import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../../lib/web/observer.ts'
import { createMember as member } from '../../lib/workers/crew.ts'
import { History } from '../../lib/workers/history.ts'

const metric = (name: string, type: string, value: number): object => ({
  name,
  help: name,
  type,
  aggregator: 'sum',
  values: [{ value, labels: {} }],
})

/** What a worker says that has opened so many connections, and has as many now. */
const snapshot = (opens: number): Snapshot => ({
  ready: true,
  metrics: [metric('opens', 'counter', opens), metric('connections', 'gauge', opens)],
  closes: [],
})

const read = (object: object | undefined, key: string): unknown =>
  object === undefined ? undefined : Reflect.get(object, key)

/** The sum of a metric over workers that have ended. */
function sumOf(history: History, name: string): number | null {
  const found = history.metrics.find((one) => read(one, 'name') === name)
  const values = read(found, 'values')
  return Array.isArray(values) ? values.reduce<number>((sum, one: object) => sum + Number(read(one, 'value')), 0) : null
}

async function until(history: History, opens: number): Promise<void> {
  while ((sumOf(history, 'opens') ?? 0) < opens) await turn()
}

describe('what workers have counted that have ended', () => {
  it('adds up, one after the other', async () => {
    const history = new History()
    for (const number of [0, 1, 2]) {
      history.note(member(number), snapshot(100))
      const one = member(number)
      history.note(one, snapshot(10 ** number))
      history.close(one)
    }
    await until(history, 111)
    expect(sumOf(history, 'opens')).toBe(111)
  })

  it('is counted once, also where the next process of a worker ends before it has said anything', async () => {
    const history = new History()
    const [one, other] = [member(0), member(1)]
    history.note(one, snapshot(5))
    history.close(one)
    history.close(one)
    history.note(other, snapshot(100))
    history.close(other)
    await until(history, 105)
    expect(sumOf(history, 'opens')).toBe(105)
  })

  it('has nothing of what was there only while it lived', async () => {
    const history = new History()
    const one = member(0)
    history.note(one, snapshot(5))
    history.close(one)
    await until(history, 5)
    expect(sumOf(history, 'connections')).toBeNull()
  })
})
