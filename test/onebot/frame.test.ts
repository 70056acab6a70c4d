import { describe, expect, it } from 'vitest'
import { parseRequest } from '../../lib/onebot/envelope.ts'
import { readFrame } from '../../lib/onebot/frame.ts'
import { Digits } from '../../lib/onebot/media/digits.ts'
import { field } from '../support/gateway.ts'

const LONG = Buffer.alloc(60_000, 'fog').toString('base64')
const read = (text: string) => readFrame(Buffer.from(text))

describe('a frame', () => {
  it('is read without the part of a file in it, which is in its place afterwards', () => {
    for (const opening of ['"chunk_data":"', '"chunk_data" : "', '"chunk_data":\n\t "']) {
      const text = `{"action":"upload_file_stream","params":{"stream_id":"é…\u{1f375}",${opening}${LONG}","chunk_index":1},"echo":["chunk_data"]}`
      const { asked, text: left } = read(text)
      const data = field(field(asked, 'params'), 'chunk_data')
      expect(data).toBeInstanceOf(Digits)
      expect(String(data)).toBe(LONG)
      const said = JSON.stringify(asked, (_key, value: unknown) => (value instanceof Digits ? String(value) : value))
      expect(JSON.parse(said)).toEqual(parseRequest(text))
      expect(left).toBe(text.replace(LONG, '…'))
    }
  })

  it.each([
    ['a short part', '{"action":"a","params":{"chunk_data":"Zm9n"}}'],
    ['a short part in a long frame', `{"action":"a","params":{"chunk_data":"Zm9n","x":"${LONG}"}}`],
    ['a part in the echo', `{"action":"a","params":{},"echo":{"chunk_data":"${LONG}"}}`],
    [
      'a part in the echo, and one at its place',
      `{"action":"a","echo":{"chunk_data":"${LONG}"},"params":{"chunk_data":"${LONG}"}}`,
    ],
    ['a part deeper down', `{"action":"a","params":{"x":{"chunk_data":"${LONG}"}}}`],
    ['a part with escapes', `{"action":"a","params":{"chunk_data":"${LONG}\\u0041\\/"}}`],
    ['a name like it', `{"action":"a","params":{"\\"chunk_data":"${LONG}"}}`],
    ['several of the name: the last counts', `{"action":"a","params":{"chunk_data":"${LONG}","chunk_data":"Zm9n"}}`],
    ['something else', `{"action":"a","params":{"chunk_data":5,"x":"${LONG}"}}`],
    ['JSON5, where it is in a text', `{action:'a',params:{x:'"chunk_data":"${LONG}"'}}`],
    ['no JSON', `{"action":"a","params":{"chunk_data":"${LONG}","echo":7`],
    ['no end', `{"action":"a","params":{"chunk_data":"${LONG}`],
    ['no object', `["chunk_data","chunk_data":"${LONG}"]`],
    ['a list of parameters', `{"action":"a","params":["chunk_data","${LONG}"]}`],
    ['nothing', ''],
  ])('is read as any other: %s', (_name, text) => {
    expect(read(text)).toEqual({ asked: parseRequest(text), text })
  })
})
