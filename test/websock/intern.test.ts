import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { intern } from '../../lib/websock/intern.ts'

setFlagsFromString('--expose-gc')

function heap(): number {
  runInNewContext('gc()')
  return process.memoryUsage().heapUsed
}

/** Bytes of heap that 10,000 interned texts of 200 characters take, each of them made anew. */
function held(make: (i: number) => string): number {
  const before = heap()
  const texts = Array.from({ length: 10_000 }, (_, i) => intern(make(i)))
  const used = heap() - before
  expect(texts.every((text) => text.length === 200)).toBe(true)
  return used
}

describe('intern', () => {
  it('gives back what it was given', () => {
    for (const text of ['', 'a', 'a', 'x'.repeat(100_000)]) expect(intern(text)).toBe(text)
    for (let i = 0; i < 5000; i++) expect(intern(`text ${i}`)).toBe(`text ${i}`)
  })

  it('keeps one copy of texts that are equal, and does not hold on to those that are not', () => {
    const before = heap()
    expect(held((i) => `${i % 7}`.padEnd(200, 's'))).toBeLessThan(300_000)
    expect(held((i) => `${i}`.padEnd(200, 'd'))).toBeGreaterThan(1_500_000)
    expect(heap() - before).toBeLessThan(800_000)
  })
})
