import { describe, expect, it } from 'vitest'
import { RunResult } from '../../lib/websock/result.ts'

describe('what webSocketRun returns', () => {
  it('is a promise to whoever looks, before and after the end', async () => {
    const result = new RunResult()
    expect(result).toBeInstanceOf(Promise)
    expect(Object.prototype.toString.call(result)).toBe('[object Promise]')
    const seen: unknown[] = []
    const early = result.then((code) => seen.push(code))
    expect(result.pending).toBe(true)
    result.settle(-1006)
    result.settle(0)
    expect(result.pending).toBe(false)
    await early
    expect(seen).toEqual([-1006])
    expect(await result).toBe(-1006)
    expect(await Promise.all([result, result])).toEqual([-1006, -1006])
    expect(await result.catch(() => 1)).toBe(-1006)
    expect(await result.finally(() => seen.push('finally'))).toBe(-1006)
    expect(seen).toEqual([-1006, 'finally'])
  })

  it('that nobody has looked at before the end tells it all the same', async () => {
    const result = new RunResult()
    result.settle(0)
    expect(await result).toBe(0)
  })

  it('resolves what an async function returns it from', async () => {
    const result = new RunResult()
    const outer = (async () => result)()
    result.settle(7)
    expect(await outer).toBe(7)
  })
})
