import { describe, expect, it } from 'vitest'
import { hasRun, RunResult, settle } from '../../lib/websock/result.ts'
import { bench } from '../support/memory.ts'

const made = () => {
  const { ws } = bench().connect()
  return { ws, result: new RunResult(ws) }
}

describe('what webSocketRun returns', () => {
  it('is a promise to whoever looks, before and after the end', async () => {
    const { ws, result } = made()
    expect(result).toBeInstanceOf(Promise)
    expect(Object.prototype.toString.call(result)).toBe('[object Promise]')
    const seen: unknown[] = []
    const early = result.then((code) => seen.push(code))
    expect(hasRun(ws)).toBe(false)
    settle(ws, -1006)
    settle(ws, 0)
    expect(hasRun(ws)).toBe(true)
    await early
    expect(seen).toEqual([-1006])
    expect(await result).toBe(-1006)
    expect(await Promise.all([result, result])).toEqual([-1006, -1006])
    expect(await result.catch(() => 1)).toBe(-1006)
    expect(await result.finally(() => seen.push('finally'))).toBe(-1006)
    expect(seen).toEqual([-1006, 'finally'])
  })

  it('that nobody has looked at before the end tells it all the same', async () => {
    const { ws, result } = made()
    settle(ws, 0)
    expect(await result).toBe(0)
  })

  it('resolves what an async function returns it from', async () => {
    const { ws, result } = made()
    const outer = (async () => result)()
    settle(ws, 7)
    expect(await outer).toBe(7)
  })
})
