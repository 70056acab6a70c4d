import { describe, expect, it } from 'vitest'
import { type FrameHandler, FrameParser } from '../../../lib/engine/node/parser.ts'
import { binary, close, cont, frame, ping, text } from '../../support/frames.ts'

type Seen = (string | number | boolean | Buffer)[]

function parse(masked = true): { parser: FrameParser; seen: Seen[]; handler: FrameHandler } {
  const seen: Seen[] = []
  const handler: FrameHandler = {
    onFrame: (length) => {
      seen.push(['frame', length])
      return true
    },
    onData: (bytes, isBinary, end) => void seen.push(['data', Buffer.from(bytes), isBinary, end]),
    onPing: (payload) => void seen.push(['ping', Buffer.from(payload)]),
    onPong: () => {},
    onClose: (status, reason) => void seen.push(['close', status, reason]),
    onFault: (status, words) => void seen.push(['fault', status, words]),
  }
  return { parser: new FrameParser(handler, masked), seen, handler }
}

describe('FrameParser', () => {
  it('websocket-run trap 28: a header in single bytes, also between the bytes of an extended length', () => {
    const { parser, seen } = parse()
    const bytes = Buffer.concat([binary(Buffer.alloc(300, 7)), frame({ opcode: 2, payload: Buffer.alloc(70_000, 8) })])
    for (const byte of bytes) parser.push(Buffer.of(byte))
    expect(seen.filter(([kind]) => kind === 'frame')).toEqual([
      ['frame', 300],
      ['frame', 70_000],
    ])
    expect(seen.filter(([kind]) => kind === 'fault')).toEqual([])
    const data = Buffer.concat(
      seen.flatMap(([kind, payload]) => (kind === 'data' && Buffer.isBuffer(payload) ? [payload] : [])),
    )
    expect(data.equals(Buffer.concat([Buffer.alloc(300, 7), Buffer.alloc(70_000, 8)]))).toBe(true)
  })

  it('hands payload on as it comes, and says where frames and messages end', () => {
    const { parser, seen } = parse()
    const first = text('abcdef', false)
    parser.push(first.subarray(0, 8))
    parser.push(Buffer.concat([first.subarray(8), cont('g', true)]))
    expect(seen).toEqual([
      ['frame', 6],
      ['data', Buffer.from('ab'), false, 0],
      ['data', Buffer.from('cdef'), false, 1],
      ['frame', 1],
      ['data', Buffer.from('g'), false, 2],
    ])
  })

  it('pauses inside a chunk and resumes where it stopped', () => {
    const { parser, seen, handler } = parse()
    const onData = handler.onData.bind(handler)
    handler.onData = (...args) => {
      onData(...args)
      parser.pause()
    }
    parser.push(Buffer.concat([text('1'), text('2'), text('3')]))
    parser.push(text('4'))
    const data = (): string => seen.flatMap(([kind, bytes]) => (kind === 'data' ? [String(bytes)] : [])).join('')
    for (const expected of ['1', '12', '123', '1234']) {
      expect(data()).toBe(expected)
      parser.resume()
    }
    expect(parser.holds).toBe(false)
  })

  it('a pause that is taken back inside the same event goes on in the same chunk', () => {
    const { parser, seen, handler } = parse()
    const onData = handler.onData.bind(handler)
    handler.onData = (...args) => {
      onData(...args)
      parser.pause()
      parser.resume()
    }
    parser.push(Buffer.concat([text('1'), text('2')]))
    expect(seen.filter(([kind]) => kind === 'data').length).toBe(2)
  })

  it('reads nothing behind a Close or a fault', () => {
    const closed = parse()
    closed.parser.push(Buffer.concat([close(1000), text('x')]))
    closed.parser.push(text('y'))
    expect(closed.seen).toEqual([['close', 1000, '']])
    const broken = parse()
    broken.parser.push(Buffer.concat([frame({ opcode: 3 }), text('x')]))
    expect(broken.seen).toEqual([['fault', 1002, 'Reserved opcode']])
  })

  it('a frame that the handler refuses ends it', () => {
    const { parser, seen, handler } = parse()
    handler.onFrame = () => false
    parser.push(Buffer.concat([text('x'), text('y')]))
    expect(seen).toEqual([])
  })

  it('a handler that stops the parser in onFrame gets nothing of that frame, also of an empty one', () => {
    const { parser, seen, handler } = parse()
    handler.onFrame = () => {
      parser.stop()
      return true
    }
    parser.push(text(''))
    expect(seen).toEqual([])
  })

  it('a client takes frames without a mask and refuses others (D27)', () => {
    const client = parse(false)
    client.parser.push(frame({ opcode: 1, payload: 'x', mask: null }))
    client.parser.push(text('y'))
    expect(client.seen).toEqual([
      ['frame', 1],
      ['data', Buffer.from('x'), false, 2],
      ['fault', 1002, 'Frame from a server is masked'],
    ])
  })

  it('a control frame cut into bytes keeps its payload, also between fragments (D6, D10)', () => {
    const { parser, seen } = parse()
    for (const byte of Buffer.concat([text('a', false), ping('hello'), cont('b', true)])) parser.push(Buffer.of(byte))
    expect(seen.filter(([kind]) => kind !== 'frame')).toEqual([
      ['data', Buffer.from('a'), false, 1],
      ['ping', Buffer.from('hello')],
      ['data', Buffer.from('b'), false, 2],
    ])
  })

  it('checks no text when told not to, and starts clean when told to again', () => {
    const { parser, seen } = parse()
    parser.validate = false
    parser.push(text(Buffer.of(0xff)))
    parser.push(text(Buffer.of(0xe2), false))
    parser.validate = true
    parser.push(cont(Buffer.of(0x41), true))
    parser.push(text('ä'))
    expect(seen.filter(([kind]) => kind === 'fault')).toEqual([])
  })
})
