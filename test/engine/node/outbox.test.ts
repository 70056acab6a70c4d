import { setImmediate as turn } from 'node:timers/promises'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Batch } from '../../../lib/engine/node/batch.ts'
import { NodeTopics } from '../../../lib/engine/node/topics.ts'
import { NodeTransport } from '../../../lib/engine/node/transport.ts'
import { readFrames } from '../../support/frames.ts'

/** A connection on a stream that notes each write. */
function connection(topics: NodeTopics, publishLimit = Infinity) {
  const writes: Buffer[] = []
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      if (chunk.length > 0) writes.push(Buffer.from(chunk))
      done()
    },
  })
  const transport = new NodeTransport(stream, Buffer.alloc(0), false, { topics, publishLimit })
  transport.subscribe('all')
  const send = (text: string): void => void transport.send(text, text.length, 1, true)
  /** The payloads of each write. */
  const heard = (): string[] =>
    writes.map((bytes) =>
      readFrames(bytes)
        .frames.map(({ payload }) => String(payload))
        .join(' '),
    )
  return { transport, stream, writes, heard, send }
}

const publish = (topics: NodeTopics, text: string): number => topics.publish('all', text, text.length, false)

describe('what is published in one turn of the event loop', () => {
  it('leaves in one write for each receiver, at the end of the turn', async () => {
    const topics = new NodeTopics()
    const all = [connection(topics), connection(topics), connection(topics)]
    for (const text of ['one', 'two', 'three']) expect(publish(topics, text)).toBe(3)
    expect(all.map(({ writes }) => writes.length)).toEqual([0, 0, 0])
    expect(all.map(({ transport }) => transport.buffered())).toEqual([17, 17, 17])
    await turn()
    expect(all.map(({ heard }) => heard())).toEqual(Array.from(all, () => ['one two three']))
    expect(all.map(({ transport }) => transport.buffered())).toEqual([0, 0, 0])
    publish(topics, 'four')
    await turn()
    expect(all.map(({ heard }) => heard())).toEqual(Array.from(all, () => ['one two three', 'four']))
  })

  it('is put together once for all that were published the same', () => {
    const [one, two] = [Buffer.from('one'), Buffer.from('two')]
    const empty = Batch.empty()
    const same = [empty.with(one).with(two), empty.with(one).with(two)]
    expect(same[0]).toBe(same[1])
    expect(same[0]?.bytes.toString()).toBe('onetwo')
    expect(same[0]?.bytes).toBe(same[1]?.bytes)
    // Of one frame it is the frame.
    expect(empty.with(two).bytes).toBe(two)
    expect(empty.with(two).with(one).bytes.toString()).toBe('twoone')
    expect(empty.length + empty.bytes.length).toBe(0)
  })

  it('and ten thousand frames in one turn are not too deep', () => {
    let batch = Batch.empty()
    for (let i = 0; i < 10_000; i++) batch = batch.with(Buffer.from([i & 255]))
    expect(batch.bytes).toEqual(Buffer.from(Array.from({ length: 10_000 }, (_, i) => i & 255)))
  })

  it('never overtakes, nor is overtaken by, what is sent to one of them', async () => {
    const topics = new NodeTopics()
    const [a, b] = [connection(topics), connection(topics)]
    publish(topics, 'one')
    a.send('two')
    publish(topics, 'three')
    a.transport.cork(() => {
      a.send('four')
      publish(topics, 'five')
      a.send('six')
    })
    publish(topics, 'seven')
    await turn()
    expect(a.heard().join(' ')).toBe('one two three four five six seven')
    expect(b.heard()).toEqual(['one three five seven'])
    // What was published before a burst leaves with it.
    expect(a.heard()).toEqual(['one', 'two', 'three four five six', 'seven'])
  })

  it('goes in front of a Close, of the end and of what a flush waits for', async () => {
    for (const [how, act] of [
      ['close', ({ transport }: ReturnType<typeof connection>) => transport.close(1000, '')],
      ['end', ({ transport }: ReturnType<typeof connection>) => transport.end()],
      ['flush', ({ transport }: ReturnType<typeof connection>) => transport.requestDrain()],
    ] as const) {
      const topics = new NodeTopics()
      const one = connection(topics)
      publish(topics, how)
      act(one)
      expect(one.heard()[0]).toBe(how)
      await turn()
      expect(one.writes.length).toBe(how === 'close' ? 2 : 1)
    }
  })

  it('leaves at once beyond 64 KB, and what does not fit into a burst stays in order', async () => {
    const topics = new NodeTopics()
    const one = connection(topics)
    const long = 'x'.repeat(40_000)
    publish(topics, long)
    expect(one.writes.length).toBe(0)
    publish(topics, long)
    expect(one.writes.length).toBe(1)
    publish(topics, long)
    one.transport.cork(() => {
      one.send('after')
      publish(topics, long)
      publish(topics, 'last')
    })
    await turn()
    expect(one.heard().join(' ')).toBe([long, long, long, 'after', long, 'last'].join(' '))
  })

  it('counts for the limit of a slow receiver', () => {
    const topics = new NodeTopics()
    const one = connection(topics, 100)
    let overruns = 0
    const ignore = (): void => {}
    one.transport.setReceiver({
      maxMessage: 0,
      onFrame: () => true,
      onData: ignore,
      onActivity: ignore,
      onPong: ignore,
      onDrain: ignore,
      onFault: ignore,
      onClose: ignore,
      onEnd: ignore,
      onGone: ignore,
      dropsNew: false,
      onOverrun: () => overruns++,
    })
    for (let i = 0; i < 3; i++) publish(topics, 'x'.repeat(60))
    expect(overruns).toBe(1)
  })

  it('is dropped with a connection that has gone', async () => {
    const topics = new NodeTopics()
    const one = connection(topics)
    publish(topics, 'one')
    one.stream.destroy()
    await turn()
    expect(one.writes).toEqual([])
  })
})
