import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChannelConfig } from '../../include-types/agent.ts'
import type { Config } from '../../include-types/web.ts'
import { decode, parse } from '../../lib/agent/inbound.ts'
import { agentOf, AgentServer, toFrame } from '../support/agent.ts'
import { byEngine } from '../support/differences.ts'
import { binary, cont, frame, ping, readFrames, text } from '../support/frames.ts'
import { hush, LogLines } from '../support/log-lines.ts'
import { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const MIB = 1 << 20

describe('what a frame says', () => {
  it.each([
    // Plain text.
    ['hello', 'hello'],
    ['  hello  ', 'hello'],
    ['\n\thello\r\n', 'hello'],
    ['two  words', 'two  words'],
    ['a\nb', 'a\nb'],
    ['zoë \u{1F419}', 'zoë \u{1F419}'],
    ["'quoted'", "'quoted'"],
    // Objects.
    ['{"content":"hi"}', 'hi'],
    ['{"text":"hi"}', 'hi'],
    ['{"message":"hi"}', 'hi'],
    [' \n{"content" : "hi"}\n ', 'hi'],
    ['{"content":"a","text":"b"}', 'a'],
    ['{"text":"b","content":"a"}', 'a'],
    ['{"message":"c","text":"b"}', 'b'],
    ['{"message":"c","text":"b","content":"a"}', 'a'],
    ['{"content":"","text":"b"}', 'b'],
    ['{"content":" \\n","text":"b"}', 'b'],
    ['{"content":5,"text":"b"}', 'b'],
    ['{"content":null,"text":false,"message":"c"}', 'c'],
    ['{"content":["x"],"message":"c"}', 'c'],
    ['{"content":"  x  "}', '  x  '],
    ['{"content":"\\nx\\t"}', '\nx\t'],
    ['{"content":"{\\"content\\":\\"inner\\"}"}', '{"content":"inner"}'],
    ['{"content":"a","content":"b"}', 'b'],
    ['{"type":"message","content":"q"}', 'q'],
    ['{"type":"new_chat","text":"q"}', 'q'],
    ['{"content":"a","media":[],"x":{}}', 'a'],
    ['{"content":"zo\\u00eb"}', 'zoë'],
    // What only begins as one.
    ['{not json', '{not json'],
    ['{"content":"a"', '{"content":"a"'],
    ['{"content":"a"} tail', '{"content":"a"} tail'],
    ["{'content':'a'}", "{'content':'a'}"],
    ['{content:"a"}', '{content:"a"}'],
    ['{"content":"a",}', '{"content":"a",}'],
    ['  {broken  ', '{broken'],
    ['{', '{'],
    // JSON that is neither object nor text.
    ['["hello"]', '["hello"]'],
    ['[{"content":"hi"}]', '[{"content":"hi"}]'],
    ['[]', '[]'],
    ['123', '123'],
    ['1e400', '1e400'],
    ['0.10', '0.10'],
    ['true', 'true'],
    ['null', 'null'],
    // JSON that is text.
    ['"Hello nanobot!"', 'Hello nanobot!'],
    ['  "Hello nanobot!"\n', 'Hello nanobot!'],
    ['"  x  "', '  x  '],
    ['"a\\nb \\u00eb"', 'a\nb ë'],
    ['"{\\"content\\":\\"hi\\"}"', '{"content":"hi"}'],
    ['"open', '"open'],
    ['"a" and "b"', '"a" and "b"'],
    ['"', '"'],
  ])('%j: %j', (given, said) => {
    expect(parse(given, false)).toBe(said)
  })

  it.each([
    '',
    ' ',
    '\n',
    ' \r\n\t ',
    '{"content":"  "}',
    '{"content":null}',
    '{"content":123}',
    '{"content":{"text":"x"}}',
    '{"content":["x"]}',
    '{"content":"","text":" ","message":"\\n"}',
    '{}',
    '{"other":"v"}',
    '{"Content":"x","TEXT":"y"}',
    '{"__proto__":{"content":"x"}}',
    '{"type":"message"}',
    '""',
    '"  "',
    '"\\n"',
  ])('%j: nothing', (given) => {
    expect(parse(given, false)).toBeNull()
  })

  it('an object with a type is something else where there are several chats', () => {
    const fields = { type: 'message', chat_id: 'c', content: 'q' }
    expect(parse(JSON.stringify(fields), true)).toEqual({ type: 'message', fields })
    expect(parse('{"type":""}', true)).toEqual({ type: '', fields: { type: '' } })
    for (const type of [1, null, ['message'], true, {}]) {
      expect(parse(JSON.stringify({ type, content: 'q' }), true)).toBe('q')
    }
    expect(parse('{"content":"q"}', true)).toBe('q')
    expect(parse('{"__proto__":{"type":"message"},"content":"q"}', true)).toBe('q')
    expect(parse('plain', true)).toBe('plain')
  })

  it('is never an error, and never blank', () => {
    const part = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constantFrom('{', '"', '\\', '}', '{"content":'))
    fc.assert(
      fc.property(fc.array(part), fc.boolean(), (parts, typed) => {
        const said = parse(parts.join(''), typed)
        if (typeof said === 'string') expect(said.trim()).not.toBe('')
      }),
    )
  })

  it('is what was said, in each of the ways to say it', () => {
    const said = fc.string({ unit: 'grapheme' }).filter((words) => words.trim() !== '')
    fc.assert(
      fc.property(said, (words) => {
        for (const field of ['content', 'text', 'message']) {
          expect(parse(JSON.stringify({ [field]: words }), false)).toBe(words)
        }
        expect(parse(JSON.stringify(words), false)).toBe(words)
      }),
    )
  })
})

describe('bytes', () => {
  it('are text where they are UTF-8', () => {
    expect(decode(Buffer.from('zoë \u{1F419}'))).toBe('zoë \u{1F419}')
    expect(decode(new Uint8Array())).toBe('')
  })

  it.each(['ff fe fd', 'c3', 'c3 28', 'ed a0 80', 'f0 9f 90', 'c0 80', '61 80 62', 'f4 90 80 80'])(
    '%s is none',
    (hex) => {
      expect(decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toBeNull()
    },
  )
})

describe.each(engines)('frames for the agent channel on %s', (engine) => {
  /** A channel whose agent says what it was told, in one message, and what that was. */
  async function start(channel: ChannelConfig & Readonly<Record<string, unknown>> = {}, more: Config = {}) {
    const heard: string[] = []
    const asks: string[] = []
    const agent = agentOf(({ clientId }, said) => {
      heard.push(said)
      asks.push(clientId)
      return said
    })
    return { heard, asks, server: await AgentServer.start(engine, { streaming: false, ...channel }, agent, more) }
  }

  /** A raw client that has had its READY. */
  async function open(server: AgentServer, path = '/'): Promise<RawClient> {
    const client = await RawClient.open(server.port, path)
    expect(toFrame((await client.frame()).payload.toString()).event).toBe('ready')
    return client
  }

  /** The text of the next message to a raw client. */
  async function told(client: RawClient): Promise<string> {
    const { opcode, payload } = await client.frame()
    expect(opcode).toBe(1)
    const { event, text: said } = toFrame(payload.toString())
    expect(event).toBe('message')
    return said ?? ''
  }

  /** The code of the Close that comes next. */
  async function closeCode(client: RawClient): Promise<number> {
    const { opcode, payload } = await client.frame()
    expect(opcode).toBe(8)
    client.send(frame({ opcode: 8, payload: payload.subarray(0, 2) }))
    expect((await client.rest()).length).toBe(0)
    return payload.readUInt16BE(0)
  }

  /** The code of a Close, where there is one before the end. */
  async function lastCode(client: RawClient): Promise<number | null> {
    const [end] = readFrames(await client.rest()).frames
    return end?.opcode === 8 && end.payload.length > 1 ? end.payload.readUInt16BE(0) : null
  }

  describe('READY', () => {
    it('trap 20: is the first frame, with three keys, and a chat of its own for each connection', async () => {
      const { server } = await start()
      const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect('client_id=alice')))
      const ids = clients.map(({ frames: [ready], texts: [said] }) => {
        expect(said).toBe(`{"event":"ready","chat_id":"${ready?.chat_id}","client_id":"alice"}`)
        expect(ready?.chat_id).toMatch(UUID)
        return ready?.chat_id
      })
      expect(new Set(ids).size).toBe(20)
    })

    it('trap 20: comes first also where the client has not waited for it', async () => {
      const { server, heard } = await start()
      const client = await RawClient.open(server.port, '/?client_id=eager')
      client.send(Buffer.concat([text('one'), text('two')]))
      const { chat_id: id, ...ready } = toFrame((await client.frame()).payload.toString())
      expect([id, ready]).toEqual([expect.stringMatching(UUID), { event: 'ready', client_id: 'eager' }])
      expect([await told(client), await told(client)]).toEqual(['one', 'two'])
      expect(heard).toEqual(['one', 'two'])
      client.destroy()
    })

    it.each([
      ['200 letters', 'x'.repeat(200), 'x'.repeat(128)],
      ['200 octopuses', '\u{1F419}'.repeat(200), '\u{1F419}'.repeat(128)],
      ['a letter and 200 octopuses', `x${'\u{1F419}'.repeat(200)}`, `x${'\u{1F419}'.repeat(127)}`],
      ['128 letters', 'y'.repeat(128), 'y'.repeat(128)],
      ['quotes and controls', '"\\\u0001\u2028.', '"\\\u0001\u2028.'],
    ])('trap 19: a name of %s is the same in it and for the agent', async (_name, given, name) => {
      hush()
      const { server, asks } = await start()
      const client = server.open(`client_id=${encodeURIComponent(given)}`)
      expect((await client.next('ready')).client_id).toBe(name)
      await client.ask('hello')
      expect(asks).toEqual([name])
    })
  })

  it('trap 21: the first text that is not blank counts; in an object blanks stay, in plain text they do not', async () => {
    const { server, heard } = await start()
    const client = await server.connect()
    for (const said of ['{"content":"","text":"b"}', '{"content":"  x "}', '  x ', '"  x "']) {
      client.send(said)
      await client.answer()
    }
    expect(heard).toEqual(['b', '  x ', 'x', '  x '])
  })

  it('trap 22: what says nothing asks no agent, gets no answer, and harms no connection', async () => {
    const { server, heard } = await start()
    const client = await server.connect()
    const nothing = [
      '{"content":123}',
      '{}',
      '',
      ' ',
      '\n',
      '{"content":"  "}',
      '{"content":null}',
      '{"other":"v"}',
      '""',
    ]
    for (const said of nothing) {
      client.send(said)
      client.send(Buffer.from(said))
    }
    expect(await client.ask('something')).toBe('something')
    expect(heard).toEqual(['something'])
    expect(client.frames.map(({ event }) => event)).toEqual(['ready', 'message'])
  })

  it('trap 23: other JSON, and what only begins as JSON, reaches the agent as typed', async () => {
    const { server, heard } = await start()
    const client = await server.connect()
    const typed = ['["hello"]', '123', '{broken', 'true', 'null', '{"content":"a"', '{"content":"a"} tail', '"open']
    for (const said of typed) expect(await client.ask(said)).toBe(said)
    expect(heard).toEqual(typed)
  })

  it('trap 24: binary frames are as good as text, and those that are none are passed over', async () => {
    const { server, heard } = await start()
    const client = await open(server)
    const log = new LogLines()
    for (const said of ['{"content":"hi"}', ' plain ', '"quoted"']) client.send(binary(Buffer.from(said)))
    expect([await told(client), await told(client), await told(client)]).toEqual(['hi', 'plain', 'quoted'])
    client.send(binary(Buffer.from([0xff, 0xfe, 0xfd])))
    client.send(binary(Buffer.from('next')))
    expect(await told(client)).toBe('next')
    await log.until(/binary/)
    expect(heard).toEqual(['hi', 'plain', 'quoted', 'next'])
    client.destroy()
  })

  it('trap 24: characters of binary frames may stand in two fragments', async () => {
    const { server } = await start()
    const client = await open(server)
    const bytes = Buffer.from('{"content":"ë"}')
    client.send(Buffer.concat([binary(bytes.subarray(0, 13), false), cont(bytes.subarray(13), true)]))
    expect(await told(client)).toBe('ë')
    client.destroy()
  })

  it('a message may come in many fragments, with pings between', async () => {
    const { server, heard } = await start()
    const client = await open(server)
    const said = 'zoë, \u{1F419}!'
    const bytes = Buffer.from(said)
    client.send(text(bytes.subarray(0, 1), false))
    for (let i = 1; i < bytes.length; i++) client.send(cont(bytes.subarray(i, i + 1), i === bytes.length - 1))
    expect(await told(client)).toBe(said)
    client.send(Buffer.concat([text('on', false), ping('p'), cont('e', true)]))
    expect((await client.frame()).opcode).toBe(10)
    expect(await told(client)).toBe('one')
    expect(heard).toEqual([said, 'one'])
    client.destroy()
  })

  it.each(['ff fe fd', '61 c3 28', 'ed a0 80', 'c3'])('text that is no UTF-8 ends the connection: %s', async (hex) => {
    const { server, heard } = await start()
    const client = await open(server)
    hush()
    client.send(text(Buffer.from(hex.replaceAll(' ', ''), 'hex')))
    client.send(text('later'))
    expect(await lastCode(client)).toBe(byEngine(engine, 'wire close on violation', { node: 1007, uws: null }))
    expect(heard).toEqual([])
  })

  describe('the longest message', () => {
    const LIMIT = { maxMessageBytes: 1024 }
    const halves = (first: Buffer, size: number): Buffer => Buffer.concat([first, cont('y'.repeat(size), true)])

    it.each([
      ['text', text('x'.repeat(1024))],
      ['binary', binary(Buffer.alloc(1024, 'x'))],
      ['512 × é', text('é'.repeat(512))],
      ['in two fragments', halves(text('x'.repeat(600), false), 424)],
      ['blanks around it', text(`${' '.repeat(500)}x${' '.repeat(523)}`)],
    ])('trap 25: exactly as long passes: %s', async (_name, bytes) => {
      const { server, heard } = await start(LIMIT)
      const client = await open(server)
      client.send(bytes)
      expect(await told(client)).toBe(heard[0])
      client.send(text('next'))
      expect(await told(client)).toBe('next')
      expect(heard.length).toBe(2)
      client.destroy()
    })

    it.each([
      ['one byte', text('x'.repeat(1025))],
      ['one byte of a binary frame', binary(Buffer.alloc(1025, 'x'))],
      ['513 × é', text('é'.repeat(513))],
      ['600 + 600 in two fragments', halves(text('x'.repeat(600), false), 600)],
      ['600 + 425 in two binary fragments', halves(binary(Buffer.alloc(600, 'x'), false), 425)],
      ['a fragment and nothing', Buffer.concat([text('x'.repeat(1025), false), cont('', true)])],
      ['blanks, though they would not count', text(`x${' '.repeat(1024)}`)],
    ])('trap 25: longer by %s is Close 1009, and no agent hears it', async (_name, bytes) => {
      const { server, heard } = await start(LIMIT)
      const client = await open(server)
      client.send(bytes)
      expect(await closeCode(client)).toBe(1009)
      expect(heard).toEqual([])
    })

    it('trap 25: far longer ends the connection, too', async () => {
      const { server, heard } = await start(LIMIT)
      const client = await open(server)
      client.send(text('x'.repeat(300_000)))
      expect(await lastCode(client)).toBe(byEngine(engine, 'wire close on violation', { node: 1009, uws: null }))
      expect(heard).toEqual([])
    })

    it('trap 25: what came before it is answered', async () => {
      const { server, heard } = await start(LIMIT)
      const client = await open(server)
      client.send(text('before'))
      expect(await told(client)).toBe('before')
      client.send(Buffer.concat([text('x'.repeat(1025)), text('after')]))
      expect(await closeCode(client)).toBe(1009)
      expect(heard).toEqual(['before'])
    })

    it.each(['/a:b', '/x/*'])('trap 25: also where the path could be a pattern: %s', async (path) => {
      const { server, heard } = await start({ ...LIMIT, path })
      const exact = await open(server, path)
      exact.send(text('x'.repeat(1024)))
      expect((await told(exact)).length).toBe(1024)
      exact.destroy()
      const long = await open(server, path)
      long.send(text('x'.repeat(1025)))
      expect(await closeCode(long)).toBe(1009)
      expect(heard.length).toBe(1)
    })

    it.each(['/ws/', '/ws//'])('trap 25: also by another spelling of the path: %s', async (target) => {
      const { server } = await start({ ...LIMIT, path: '/ws' })
      const exact = await open(server, target)
      exact.send(text('x'.repeat(1024)))
      expect((await told(exact)).length).toBe(1024)
      exact.destroy()
      const long = await open(server, target)
      long.send(text('x'.repeat(1025)))
      expect(await closeCode(long)).toBe(1009)
    })

    it.each([
      ['by default', {}, MIB],
      ['at most', { maxMessageBytes: 16 * MIB }, 16 * MIB],
    ])('trap 25: %s', async (_name, channel, most) => {
      const { server, heard } = await start({ ...channel, maxReplyBytes: '1G' })
      const exact = await open(server)
      exact.send(text('x'.repeat(most)))
      // Not all of it is looked at.
      await exact.until(() => exact.length > 1000)
      expect(heard[0]?.length).toBe(most)
      exact.destroy()
      const long = await open(server)
      long.send(text('x'.repeat(most + 1)))
      expect(await closeCode(long)).toBe(1009)
      expect(heard.length).toBe(1)
    })

    it.each(['/', '/ws/'])(
      'trap 25: by another spelling of the path, as long as the default allows: %s',
      async (path) => {
        const { server, heard } = await start({ path })
        const client = await open(server, path)
        client.send(text('x'.repeat(MIB)))
        await client.until(() => client.length > 1000)
        expect(heard[0]?.length).toBe(MIB)
        client.destroy()
      },
    )

    it('of compressed messages counts their text', async () => {
      const { server, heard } = await start(LIMIT, { web: { webSockets: { compression: true } } })
      const client = await server.connect()
      expect(client.ws.extensions).toContain('permessage-deflate')
      const deflated = (said: string): void => client.ws.send(said, { compress: true })
      deflated('x'.repeat(1024))
      expect((await client.answer()).text.length).toBe(1024)
      deflated('x'.repeat(1025))
      expect((await client.closed).code).toBe(1009)
      expect(heard.length).toBe(1)
    })

    it('of one client is no matter to another', async () => {
      const { server } = await start(LIMIT)
      const [long, other] = [await open(server), await server.connect()]
      long.send(text('x'.repeat(5000)))
      expect(await closeCode(long)).toBe(1009)
      expect(await other.ask('still here')).toBe('still here')
    })
  })

  it('objects with a type are messages like others, while there is one chat', async () => {
    const { server, heard } = await start()
    const client = await server.connect()
    client.send({ type: 'new_chat' })
    client.send({ type: 'attach', chat_id: 'x' })
    expect(await client.ask({ type: 'message', chat_id: 'x', content: 'q' })).toBe('q')
    expect([heard, client.frames.length]).toEqual([['q'], 2])
  })

  it('a million of one object in another is text like any other', async () => {
    const { server, heard } = await start()
    const client = await server.connect()
    const deep = '{"a":'.repeat(200_000)
    client.send(deep)
    client.send(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)
    expect((await client.answer()).text.length).toBe(deep.length)
    expect(await client.ask('next')).toBe('next')
    expect(heard.length).toBe(2)
  })
})
