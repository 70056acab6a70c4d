import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { rError, rFailure, rInfo, rSetLogSink, rTrace } from '../../lib/websock/log.ts'

const stdout: unknown[] = []
const stderr: unknown[] = []

beforeEach(() => {
  rSetLogSink(null)
  stdout.length = 0
  stderr.length = 0
  vi.spyOn(console, 'info').mockImplementation((...args: unknown[]) => void stdout.push(...args))
  vi.spyOn(console, 'error').mockImplementation((...args: unknown[]) => void stderr.push(...args))
})

afterEach(() => {
  rSetLogSink(null)
  vi.restoreAllMocks()
})

describe('the standard sink', () => {
  it('writes errors to stderr, info to stdout, and drops trace', () => {
    rInfo('ws', 'Client %d connected', 7)
    rError('ws', 'Error: %s', null)
    rTrace('ws', 'detail')
    expect(stdout).toEqual(['ws info Client 7 connected'])
    expect(stderr).toEqual(['ws error Error: null'])
  })

  it('keeps a message on its own line', () => {
    rInfo('a\nb', '%s', 'x\r\nws error forged\u2028\u0000\u001b[2K\u0085\u202e\ttab 100% é😀')
    expect(stdout).toEqual(['a\\x0ab info x\\x0d\\x0aws error forged\\u2028\\x00\\x1b[2K\\x85\\u202e\\x09tab 100% é😀'])
  })
})

describe('rFailure', () => {
  it('shows a stack a line each, and keeps a message on its own', () => {
    const error = new Error('boom\nforged')
    error.stack = 'Error: boom\nforged\n    at one (a.js:1:2)\n    at b.js:3:4'
    rFailure('ws', 'Callback failed', error)
    expect(stderr).toEqual([
      'ws error Callback failed: Error: boom\\x0aforged',
      'ws error     at one (a.js:1:2)',
      'ws error     at b.js:3:4',
    ])
  })

  it.each([
    [null, 'null'],
    ['text', 'text'],
    [Object.create(null), '[Object: null prototype] {}'],
  ])('takes whatever was thrown', (thrown: unknown, text) => {
    rFailure('ws', 'Failed', thrown)
    expect(stderr).toHaveLength(1)
    expect(String(stderr[0])).toMatch(/^ws error Failed: /)
    if (typeof thrown !== 'object') expect(stderr).toEqual([`ws error Failed: ${text}`])
  })
})

describe('rSetLogSink', () => {
  it('sends every level to the sink, messages as they are, and nothing to the console', () => {
    const sink = vi.fn()
    rSetLogSink(sink)
    rInfo('a', '%s!', 'x\ny')
    rError('b', 'plain')
    rTrace('c', '%d%%', 50)
    expect(sink.mock.calls).toEqual([
      ['info', 'a', 'x\ny!'],
      ['error', 'b', 'plain'],
      ['trace', 'c', '50%'],
    ])
    expect([...stdout, ...stderr]).toEqual([])
  })

  it('restores the standard sink with null', () => {
    const sink = vi.fn()
    rSetLogSink(sink)
    rSetLogSink(null)
    rInfo('a', 'b')
    expect(sink).not.toHaveBeenCalled()
    expect(stdout).toEqual(['a info b'])
  })

  it('survives a sink that throws, and writes the line itself', () => {
    rSetLogSink(() => {
      throw new Error('disk full')
    })
    rInfo('a', 'b')
    rTrace('a', 'c')
    const notice = 'log error The log sink failed: Error: disk full'
    expect(stderr).toEqual([notice, notice])
    expect(stdout).toEqual(['a info b'])
  })

  it('survives an asynchronous sink that rejects', async () => {
    const refusal = Promise.reject(new Error('gone'))
    rSetLogSink(vi.fn().mockReturnValue(refusal))
    rError('a', 'b')
    await vi.waitFor(() => expect(stderr).toHaveLength(2))
    expect(stderr).toEqual(['log error The log sink failed: Error: gone', 'a error b'])
  })

  it('survives a sink that logs, and a console that throws', () => {
    rSetLogSink(() => rInfo('a', 'again'))
    expect(() => rInfo('a', 'b')).not.toThrow()
    rSetLogSink(null)
    vi.mocked(console.error).mockImplementation(() => {
      throw new Error('closed')
    })
    expect(() => rError('a', 'b')).not.toThrow()
  })
})
