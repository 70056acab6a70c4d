import { describe, expect, it } from 'vitest'
import { Journal } from '../../lib/gateway/journal.ts'
import { type GatewaySettings, toGateway } from '../../lib/web/config/gateway.ts'

const settings = (bytes: number, seconds: number): GatewaySettings =>
  toGateway({ resumeBytes: bytes, resumeS: seconds })
/** Each topic of a test. */
const ALL = ['g/s/1', 'g/s/2']
const frame = (type: string): string => `{"op":"DISPATCH","t":"${type}","d":{}}`

describe('the journal', () => {
  it('has what was told behind a number, in order, each with its own', () => {
    const journal = new Journal(settings(1000, 60), () => 0)
    journal.open()
    expect(journal.add('g/s/1', frame('A'), null)).toBe('{"op":"DISPATCH","t":"A","s":1,"d":{}}')
    journal.add('g/s/2', frame('B'), new Set(['ada']))
    const [, second] = journal.since(0, ALL) ?? []
    expect(second).toMatchObject({ s: 2, topic: 'g/s/2', except: new Set(['ada']) })
    expect(journal.since(1, ALL)).toEqual([second])
    expect(journal.since(2, ALL)).toEqual([])
    // What has not been told yet was not told by us.
    expect(journal.since(3, ALL)).toBeNull()
    expect(journal.since(-1, ALL)).toBeNull()
  })

  it('forgets the oldest where there is too much, and then has nothing from before them', () => {
    const length = '{"op":"DISPATCH","t":"A","s":1,"d":{}}'.length
    const journal = new Journal(settings(3 * length, 60), () => 0)
    journal.open()
    for (let i = 0; i < 9; i++) journal.add('g/s/1', frame('A'), null)
    expect(journal.since(6, ALL)?.map(({ s }) => s)).toEqual([7, 8, 9])
    expect(journal.since(5, ALL)).toBeNull()
    expect(journal.start).toBe(6)
  })

  it('forgets what is too old, to the millisecond', () => {
    let now = 0
    const journal = new Journal(settings(1000, 1), () => now)
    journal.open()
    journal.add('g/s/1', frame('A'), null)
    now = 500
    journal.add('g/s/1', frame('B'), null)
    now = 999
    expect(journal.since(0, ALL)?.map(({ s }) => s)).toEqual([1, 2])
    now = 1000
    expect(journal.since(0, ALL)).toBeNull()
    expect(journal.since(1, ALL)?.map(({ s }) => s)).toEqual([2])
    now = 1500
    expect(journal.since(1, ALL)).toBeNull()
    expect(journal.since(2, ALL)).toEqual([])
  })

  it('keeps nothing while nobody can ask for it, and has nothing of that time', () => {
    const journal = new Journal(settings(1000, 60), () => 0)
    expect(journal.kept).toBe(false)
    journal.open()
    journal.open()
    journal.add('g/s/1', frame('A'), null)
    journal.close()
    expect([journal.kept, journal.since(0, ALL)?.length]).toEqual([true, 1])
    journal.close()
    expect([journal.kept, journal.since(0, ALL)]).toEqual([false, null])
    journal.open()
    expect(journal.since(1, ALL)).toEqual([])
    journal.add('g/s/1', frame('B'), null)
    expect(journal.since(1, ALL)?.map(({ s }) => s)).toEqual([2])
  })

  it('takes no more memory than it may, however long it runs', () => {
    const journal = new Journal(settings(50_000, 60), () => 0)
    journal.open()
    for (let i = 0; i < 100_000; i++) journal.add('g/s/1', frame('A'), null)
    const { start, last } = journal
    expect(last).toBe(100_000)
    expect(journal.since(start, ALL)?.length).toBe(last - start)
    expect(last - start).toBeLessThan(1500)
  })
})
