import { afterAll, describe, expect, it } from 'vitest'
import { corpus, freshSeed, fuzz, replay, targets } from './fuzz.ts'

// A small part of `npm run fuzz`, with a seed of its own each time, and every past failure.
describe('fuzz', () => {
  const seed = freshSeed()
  console.log(`fuzz: seed ${seed}`)
  const lines: string[] = []
  afterAll(() => console.log(lines.join('\n')))

  it.each(targets)('$quick inputs for the $name', { timeout: 60_000 }, async (target) => {
    const { done } = await fuzz(target, { seed, from: 0, count: target.quick }, (line) => lines.push(line))
    expect(done).toBeGreaterThanOrEqual(target.quick)
  })

  it.each(corpus())('corpus: $name on $target.name', async (entry) => {
    await expect(replay(entry)).resolves.toBeUndefined()
  })
})
