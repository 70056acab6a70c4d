import { afterEach, describe, expect, it } from 'vitest'
import { MESSAGE_END, PIECE } from '../../lib/engine/port.ts'
import { Collector, giveBack } from '../../lib/websock/collector.ts'
import { webSocketSetRaw, webSocketSetView } from '../../lib/websock/handle.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { bench } from '../support/memory.ts'

const KIB = 1024
const fill = (size: number, byte: number): Buffer => Buffer.alloc(size, byte)

function collect(bytes: Buffer, announced = 0): Buffer {
  const collector = new Collector()
  collector.append(bytes, announced)
  return collector.take()
}

/** No memory is left behind by a test. */
afterEach(() => void collect(fill(1, 0), 4096 * KIB))

describe('the memory of a long message', () => {
  it('is that of the one before, if that was given back', () => {
    const first = collect(fill(100 * KIB, 1))
    const other = collect(fill(100 * KIB, 2))
    expect(other.buffer).not.toBe(first.buffer)
    giveBack(first)
    const next = collect(fill(90 * KIB, 3))
    expect(next.buffer).toBe(first.buffer)
    expect(next.equals(fill(90 * KIB, 3))).toBe(true)
    expect(collect(fill(90 * KIB, 4)).buffer).not.toBe(first.buffer)
    expect(other.equals(fill(100 * KIB, 2))).toBe(true)
  })

  it('is new for one that is longer, which is kept in its place; of two the longer one stays', () => {
    const short = collect(fill(100 * KIB, 1))
    giveBack(short)
    const long = collect(fill(500 * KIB, 2))
    expect(long.buffer).not.toBe(short.buffer)
    giveBack(long)
    giveBack(short)
    expect(collect(fill(400 * KIB, 3)).buffer).toBe(long.buffer)
  })

  it('is not kept where it is very long, nor where it is shared with others', () => {
    for (const size of [5000 * KIB, 1 * KIB]) {
      const message = collect(fill(size, 1))
      giveBack(message)
      // As long as the memory that short ones share.
      expect(collect(fill(Math.max(size, 8000), 2)).buffer).not.toBe(message.buffer)
      expect(message.equals(fill(size, 1))).toBe(true)
    }
  })
})

describe('messages in pieces', () => {
  /** What a callback is told of messages, each in two pieces; `how`: what it does with them. */
  function told(raw: boolean, view: boolean, how: 'now' | 'later') {
    const made = bench({ maxMessage: 10_000 * KIB })
    const { ws, transport } = made.connect()
    webSocketSetRaw(ws, raw)
    webSocketSetView(ws, view)
    const seen: (string | Buffer)[] = []
    let goOn: () => void = () => {}
    void webSocketRun(ws, (_ws, _event, buf) => {
      if (buf === null) return undefined
      seen.push(buf)
      return how === 'now' ? undefined : new Promise<void>((resolve) => (goOn = resolve))
    })
    const send = (letter: string): void => {
      const half = Buffer.alloc(100 * KIB, letter)
      transport.input((receiver) => receiver.onData(half, false, PIECE))
      transport.input((receiver) => receiver.onData(half, false, MESSAGE_END))
    }
    /** The letters that are in each, where it is whole. */
    const letters = (): string[] =>
      seen.map((buf) => (buf.length === 200 * KIB ? [...new Set(buf.toString())].join('') : 'cut'))
    return { letters, send, next: () => goOn() }
  }

  it('as text leave their memory to the next', () => {
    const { letters, send } = told(false, false, 'now')
    for (const letter of 'abc') send(letter)
    expect(letters()).toEqual(['a', 'b', 'c'])
  })

  it('as bytes have memory of their own', () => {
    const { letters, send } = told(true, false, 'now')
    for (const letter of 'abc') send(letter)
    expect(letters()).toEqual(['a', 'b', 'c'])
  })

  it('as views are there until the callback returns, and then the next is', () => {
    const { letters, send } = told(true, true, 'now')
    for (const letter of 'abc') send(letter)
    // What was kept against the rule.
    expect(letters()).toEqual(['c', 'c', 'c'])
  })

  it('as views, too, have memory of their own while they wait for a callback', async () => {
    const { letters, send, next } = told(true, true, 'later')
    for (const letter of 'abc') send(letter)
    next()
    await expect.poll(() => letters().length).toBe(2)
    next()
    await expect.poll(() => letters().length).toBe(3)
    expect(letters().slice(1)).toEqual(['b', 'c'])
  })
})
