import { describe, expect, it } from 'vitest'
import type { Sample } from '../../bench/loads/sample.ts'
import { type Report, toBusyReport, toChanges, toChangesSince, toMemoryReport } from '../../bench/report.ts'
import { isServerName, kindOf, type ServerName, servers } from '../../bench/servers/index.ts'
import { quantile, spreadOf } from '../../bench/stats.ts'
import { toChangeLines, toLines } from '../../bench/table.ts'
import { toTurns } from '../../bench/turns.ts'
import { kindFor, type Workload } from '../../bench/workload.ts'

const sample = (cost: number, client = 0.3): Sample => ({ cost, rate: 1000, server: 0.5, client })

const workload: Workload = {
  title: 'test',
  load: { kind: 'lockstep', connections: 1, inFlight: 1, size: 1, path: '/echo' },
  toRaw: { 'ours uws view': 1.1 },
  toPeer: { 'ours uws view': 0.5 },
}

/** A report of servers that always cost the same; `costs` by key, a number for each round. */
function report(costs: Record<string, number[]>, base: string | null = null, client = 0.3): Report {
  const names = Object.keys(costs).filter((key): key is ServerName => !/again|@/.test(key))
  const turns = toTurns(names, 'program', base === null ? null : { name: base, program: 'other' })
  const results = new Map(turns.map(({ key }) => [key, (costs[key] ?? []).map((cost) => [sample(cost, client)])]))
  expect([...results].filter(([, rounds]) => rounds.length === 0)).toEqual([])
  return toBusyReport(workload, turns, results)
}

describe('statistics', () => {
  it('quantiles lie between the values next to them', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
    expect(quantile([4, 1, 3, 2], 0)).toBe(1)
    expect(quantile([4, 1, 3, 2], 1)).toBe(4)
    expect(quantile([7], 0.5)).toBe(7)
    expect(spreadOf([1, 2, 3, 4, 5])).toEqual({ median: 3, low: 2, high: 4 })
  })
})

describe('turns', () => {
  it('what is compared with runs twice, and each knows what it is compared with', () => {
    expect(toTurns(['raw view', 'ours uws view', 'ws'], 'b', null)).toEqual([
      { key: 'raw view', server: 'raw view', program: 'b', raw: null, peer: 'ws', base: null },
      { key: 'raw view again', server: 'raw view', program: 'b', raw: 'raw view', peer: 'ws', base: null },
      { key: 'ours uws view', server: 'ours uws view', program: 'b', raw: 'raw view', peer: 'ws', base: null },
      { key: 'ws', server: 'ws', program: 'b', raw: null, peer: null, base: null },
    ])
  })

  it('another commit runs next to ours; without a raw server ours run twice', () => {
    expect(toTurns(['ours node view', 'ws'], 'b', { name: 'v1', program: 'old' })).toEqual([
      {
        key: 'ours node view',
        server: 'ours node view',
        program: 'b',
        raw: null,
        peer: 'ws',
        base: 'ours node view @v1',
      },
      { key: 'ours node view @v1', server: 'ours node view', program: 'old', raw: null, peer: 'ws', base: null },
      {
        key: 'ours node view again',
        server: 'ours node view',
        program: 'b',
        raw: 'ours node view',
        peer: 'ws',
        base: null,
      },
      { key: 'ws', server: 'ws', program: 'b', raw: null, peer: null, base: null },
    ])
  })

  it('servers of files are measured with sirv, and with raw uWebSockets.js that serves files', () => {
    const turns = toTurns(['raw files', 'ours uws files', 'ours node files', 'sirv'], 'b', null)
    expect(turns.map(({ key, raw, peer }) => [key, raw, peer])).toEqual([
      ['raw files', null, 'sirv'],
      ['raw files again', 'raw files', 'sirv'],
      ['ours uws files', 'raw files', 'sirv'],
      ['ours node files', 'raw files', 'sirv'],
      ['sirv', null, null],
    ])
  })
})

describe('kinds', () => {
  it('agents are measured with one in Python, and run twice', () => {
    const turns = toTurns(['ours uws agent', 'ours node agent', 'python agent'], 'b', null)
    expect(turns.map(({ key, raw, peer }) => [key, raw, peer])).toEqual([
      ['ours uws agent', null, 'python agent'],
      ['ours uws agent again', 'ours uws agent', 'python agent'],
      ['ours node agent', null, 'python agent'],
      ['ours node agent again', 'ours node agent', 'python agent'],
      ['python agent', null, null],
    ])
  })

  it('gateways are measured with raw uWebSockets.js that acts as one, and with no package', () => {
    const turns = toTurns(
      ['raw gateway', 'ours uws gateway', 'ours uws gateway normal', 'ours node gateway'],
      'b',
      null,
    )
    expect(turns.map(({ key, raw, peer }) => [key, raw, peer])).toEqual([
      ['raw gateway', null, null],
      ['raw gateway again', 'raw gateway', null],
      ['ours uws gateway', 'raw gateway', null],
      ['ours uws gateway normal', 'raw gateway', null],
      ['ours node gateway', 'raw gateway', null],
    ])
  })

  it('each server is of one kind, and each workload is for one', () => {
    const of = (kind: string) => Object.keys(servers).filter((name) => isServerName(name) && kindOf(name) === kind)
    expect(of('sockets').join()).toMatch(/^raw string,raw view,ours .*,ws,bun$/)
    expect(of('files')).toEqual(['raw files', 'ours uws files', 'ours node files', 'sirv'])
    expect(of('gateway')).toEqual(['raw gateway', 'ours uws gateway', 'ours uws gateway normal', 'ours node gateway'])
    expect(of('agent')).toEqual(['ours uws agent', 'ours node agent', 'python agent'])
    const world = { accounts: 1, servers: 1, channels: 1, unread: 0 }
    expect(kindFor({ kind: 'stream', connections: 1, deltas: 1, every: 1 })).toBe('agent')
    expect(kindFor({ kind: 'connect', parallel: 1 })).toBe('sockets')
    expect(kindFor({ kind: 'connect', parallel: 1, world })).toBe('gateway')
    expect(kindFor({ kind: 'idle', few: 1, many: 2, world })).toBe('gateway')
    expect(kindFor({ kind: 'files', connections: 1, path: '/', size: 1 })).toBe('files')
  })
})

describe('bars', () => {
  const costs = { 'raw view': [2, 2], 'raw view again': [2, 2.1], 'ours uws view': [2.3, 2.3], 'ws': [4, 4] }

  it('a ratio passes within the bar plus what equal servers are apart', () => {
    const { verdicts, again } = report(costs)
    expect(again).toEqual({ 'raw view': [1, 1.05] })
    expect(verdicts).toMatchObject([
      { server: 'ours uws view', against: 'raw', value: 1.15, bar: 1.1, verdict: 'pass' },
      { server: 'ours uws view', against: 'ws', value: 0.575, bar: 0.5, verdict: 'miss' },
    ])
    for (const { spread } of verdicts) expect(spread).toBeCloseTo(0.05)
  })

  it('beyond that it is a miss', () => {
    const { verdicts } = report({ ...costs, 'raw view again': [2, 2] })
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['miss', 'miss'])
  })

  it('what a client measured that was too busy is invalid, and cannot pass', () => {
    const { verdicts, rows } = report({ ...costs, 'ours uws view': [0.1, 0.1] }, null, 0.91)
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['invalid', 'invalid'])
    expect(rows['ours uws view']?.invalid).toBe(true)
    expect(report(costs, null, 0.9).rows['ws']?.invalid).toBe(false)
  })

  it('ratios are of what was measured next to each other, not of medians', () => {
    const { rows } = report({
      'raw view': [1, 10, 2],
      'raw view again': [1, 10, 2],
      'ours uws view': [2, 20, 4],
      'ws': [1, 1, 1],
    })
    expect(rows['ours uws view']?.toRaw).toEqual({ median: 2, low: 2, high: 2 })
    expect(rows['ours uws view']?.value.median).toBe(4)
  })

  it('a figure of its own is judged without the weather', () => {
    const turns = toTurns(['ours uws gateway', 'ours node gateway'], 'b', null)
    const results = new Map(turns.map(({ key }, i) => [key, [[sample(i < 2 ? 40 : 60)]]]))
    const atMost = { 'ours uws gateway': 50, 'ours node gateway': 50 }
    const found = toBusyReport({ ...workload, atMost }, turns, results)
    expect(found.verdicts).toMatchObject([
      { server: 'ours uws gateway', against: null, value: 40, spread: 0, verdict: 'pass' },
      { server: 'ours node gateway', against: null, value: 60, spread: 0, verdict: 'miss' },
    ])
    expect([...toLines(found, false)].join('\n')).toMatch(/^ours node gateway +60 +50 +miss$/m)
  })

  it('agents are judged by what Python needs', () => {
    const needs = { 'ours uws agent': 10, 'ours uws agent again': 10, 'ours node agent': 21, 'python agent': 50 }
    const agents: Workload = {
      title: 'agents',
      load: { kind: 'stream', connections: 1, deltas: 1, every: 1 },
      toRaw: {},
      toPeer: { 'ours uws agent': 0.2, 'ours node agent': 0.2 },
    }
    const turns = toTurns(['ours uws agent', 'ours node agent', 'python agent'], 'b', null)
    const found = toBusyReport(
      agents,
      turns,
      new Map(Object.entries(needs).map(([key, cost]) => [key, [[sample(cost)]]])),
    )
    expect(found.verdicts).toMatchObject([
      { server: 'ours uws agent', against: 'python agent', value: 0.2, verdict: 'pass' },
      { server: 'ours node agent', against: 'python agent', value: 0.42, verdict: 'miss' },
    ])
    const text = [...toLines(found, false)].join('\n')
    expect(text).toMatch(/CPU a delta .*to python/)
    expect(text).toMatch(/^ours node agent to python agent +0\.420 +0\.2 +miss$/m)
  })

  it('memory is judged by bytes above raw', () => {
    const turns = toTurns(['raw view', 'ours uws view', 'ws'], 'b', null)
    const of = (rss: number) => [[{ rss, heap: 0, external: 0, atFew: 0, atMany: 0 }]]
    const results = new Map([
      ['raw view', of(500)],
      ['raw view again', of(900)],
      ['ours uws view', of(1101)],
      ['ws', of(5000)],
    ])
    const idle: Workload = {
      title: 'idle',
      load: { kind: 'idle', few: 1, many: 2 },
      toRaw: { 'ours uws view': 600 },
      toPeer: { 'ours uws view': 0.35 },
    }
    const { verdicts, rows } = toMemoryReport(idle, turns, results)
    expect(rows['ours uws view']).toMatchObject({ aboveRaw: 601, rate: null, latency: null })
    // What equal servers are apart is no excuse here.
    expect(verdicts).toMatchObject([
      { against: 'raw', value: 601, spread: 0, verdict: 'miss' },
      { against: 'ws', value: 1101 / 5000, verdict: 'pass' },
    ])
  })
})

describe('changes', () => {
  const five = (cost: number): number[] => [0.98, 0.99, 1, 1.01, 1.02].map((weather) => cost * weather)

  it('10 % more is seen beside the commit before, and so is 10 % less', () => {
    for (const [factor, change] of [
      [1.1, 'worse'],
      [0.9, 'better'],
    ] as const) {
      const found = report(
        {
          'raw view': five(1),
          'raw view again': five(1),
          'ours uws view': five(factor),
          'ours uws view @v1': five(1),
          'ws': five(4),
        },
        'v1',
      )
      const changes = toChanges(found)
      expect(changes).toMatchObject([{ key: 'ours uws view', sure: true }])
      expect(changes[0]?.ratio.median).toBeCloseTo(factor)
      expect([...toChangeLines(changes, false)].at(-1)).toContain(change)
    }
  })

  it('less than equal servers are apart is not sure', () => {
    const found = report(
      {
        'raw view': five(1),
        'raw view again': five(1.06),
        'ours uws view': five(1.05),
        'ours uws view @v1': five(1),
        'ws': five(4),
      },
      'v1',
    )
    expect(toChanges(found)).toMatchObject([{ key: 'ours uws view', sure: false }])
  })

  it('nor is what goes up and down', () => {
    const found = report(
      {
        'raw view': [1, 1, 1],
        'raw view again': [1, 1, 1],
        'ours uws view': [0.9, 1.1, 1.3],
        'ours uws view @v1': [1, 1, 1],
        'ws': [1, 1, 1],
      },
      'v1',
    )
    expect(toChanges(found)).toMatchObject([{ sure: false }])
  })

  it('since a run that was kept: by ratios to raw, as the machine may be another one', () => {
    const at = (speed: number, factor: number): Report =>
      report({
        'raw view': five(speed),
        'raw view again': five(speed),
        'ours uws view': five(speed * factor),
        'ws': five(4 * speed),
      })
    const [first] = toChangesSince(at(3, 1.32), at(1, 1.2)).filter(({ key }) => key === 'ours uws view')
    expect(first?.ratio.median).toBeCloseTo(1.1)
    expect(first?.sure).toBe(true)
    expect(toChangesSince(at(3, 1.2), at(1, 1.2)).every(({ sure }) => !sure)).toBe(true)
  })
})

describe('tables', () => {
  const costs = { 'raw view': [2], 'raw view again': [2], 'ours uws view': [2.5], 'ws': [4] }

  it('columns that have nothing are left out', () => {
    const [head] = toLines(report(costs), false)
    expect(head).toContain('to raw')
    expect(head).not.toContain('p99')
    expect(head).not.toContain('above raw')
  })

  it('as Markdown each line has the same cells', () => {
    const lines = [...toLines(report(costs), true)].filter((line) => line.startsWith('|'))
    const counts = lines.slice(0, 6).map((line) => line.split('|').length)
    expect(new Set(counts).size).toBe(1)
    expect(lines[1]).toMatch(/^\| -+ \|( -+: \|)+$/)
  })

  it('a client that was too busy has a mark', () => {
    expect([...toLines(report(costs, null, 0.95), false)].join('\n')).toContain('! 95 %')
  })
})
