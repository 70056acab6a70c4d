import { describe, expect, it } from 'vitest'
import { BOUNDARY, END, FORM, fileParts, look, partOf, sendForm, toForm, toFormOf, upload } from '../support/forms.ts'
import { expectError, field, Gateway, type Person, type Reply } from '../support/gateway.ts'
import { type EngineName, engines } from '../support/server.ts'
import { filesIn, png } from '../support/stored.ts'
import type { GatewayConfig } from '../../include-types/web.ts'

const [KB, MB] = [1024, 1024 * 1024]
/** Not told how long it is. */
const CHUNKED = { 'Transfer-Encoding': 'chunked' }

async function harbour(engine: EngineName, settings: GatewayConfig = {}) {
  const gateway = await Gateway.start(engine, settings)
  const ada = await gateway.person('ada')
  const { id, channel } = await gateway.server(ada)
  const client = await gateway.connect(ada)
  const send = (form: Buffer, type = FORM, headers: Record<string, string> = {}): Promise<Reply> =>
    gateway.request('POST', '/files', ada, form, { 'Content-Type': type, ...headers })
  return { gateway, ada, id, channel, client, send, emojis: `/servers/${id}/emojis` }
}

const tooLong = (reply: Reply): void => expectError(reply, 413, 'TOO_LARGE')
/** A name as the answer to a request for the file has it. */
const shownBy = (headers: Readonly<Record<string, unknown>>): string =>
  decodeURIComponent(String(headers['content-disposition']).replace(/^attachment; filename\*=UTF-8''/, ''))

describe.each(engines)('forms, on %s', (engine) => {
  it('that are not whole are refused, wherever they end', async () => {
    const { send, channel, gateway, client } = await harbour(engine)
    const whole = toForm(fileParts(channel, 'fog'))
    // Only the end of its last line may be left out.
    for (let length = 0; length < whole.length - 2; length += 7) {
      const reply = await send(whole.subarray(0, length))
      expect([length, reply.status, field(reply.body, 'code')]).toEqual([length, 400, 'VALIDATION'])
    }
    for (const length of [whole.length - 3, whole.length - 4]) {
      expectError(await send(whole.subarray(0, length)), 400, 'VALIDATION')
    }
    expect((await send(whole)).status).toBe(201)
    expect(filesIn(gateway.folder, 'blobs')).toHaveLength(1)
    expect(await gateway.got(client)).toEqual([[]])
  })

  it('that are none, or not what they say they are, are refused', async () => {
    const { send, channel, client, gateway } = await harbour(engine)
    const whole = toForm(fileParts(channel, 'fog'))
    for (const type of ['text/plain', 'application/json', 'multipart/form-data', 'multipart/mixed; boundary=x', '']) {
      expectError(await send(whole, type), 415, 'UNSUPPORTED_TYPE')
    }
    for (const type of ['; x=y', '; boundary', '; boundary=', '; boundary=another', '; boundary="', '; boundary=\\']) {
      const reply = await send(whole, `multipart/form-data${type}`)
      expect([type, reply.status, field(reply.body, 'code')]).toEqual([type, 400, 'VALIDATION'])
    }
    const [name, file] = [partOf('name="channel_id"', channel), partOf('name="file"; filename="fog"', 'fog')]
    for (const parts of [
      [],
      [name],
      [file],
      [name, partOf('name="file"', 'fog')],
      [name, partOf('name="file"; filename="fog"', '')],
      [name, partOf('name="FILE"; filename="fog"', 'fog')],
      [partOf('name="channel_id"; filename="x"', channel), file],
      [name, partOf('filename="fog"', 'fog')],
      [name, partOf('', 'fog')],
      [name, partOf('name="file; filename="fog"', 'fog')],
      [name, Buffer.from(file.toString().replace('form-data', 'attachment'))],
      [name, Buffer.from(file.toString().replace('Content-Disposition', 'X-Disposition'))],
      [name, Buffer.from(file.toString().replaceAll('\r\n', '\n'))],
    ]) {
      expectError(await send(Buffer.concat([...parts, Buffer.from(END)])), 400, 'VALIDATION')
    }
    for (const wrong of ['', 'x', `${channel}x`, `${channel}\0`, '⚓'.repeat(36)]) {
      expectError(await send(toForm(fileParts(wrong, 'fog'))), 400, 'BAD_ID')
    }
    expect(filesIn(gateway.folder, 'blobs')).toEqual([])
    expect(await gateway.got(client)).toEqual([[]])
  })

  it('may have more than is asked for, in any order; of two of a name the first counts', async () => {
    const { send, channel, gateway } = await harbour(engine)
    const [name, file] = [partOf('name="channel_id"', channel), partOf('name="file"; filename="fog"', 'fog')]
    const end = Buffer.from(END)
    const others = [
      partOf('name="__proto__"', 'x'),
      partOf('name="file"; filename="other"', 'other'),
      partOf('name="channel_id"', 'x'),
    ]
    for (const parts of [
      [file, name],
      [name, file, ...others],
      [partOf('name="x"', '\0'), file, name],
    ]) {
      const reply = await send(Buffer.concat([...parts, end]))
      expect([reply.status, field(reply.body, 'name'), field(reply.body, 'size')]).toEqual([201, 'fog', 3])
      expect((await look(gateway, String(field(reply.body, 'url')))).body.toString()).toBe('fog')
    }
    const quoted = `Multipart/Form-Data; charset=utf-8; Boundary="${BOUNDARY}"`
    expect((await send(Buffer.concat([name, file, end]), quoted)).status).toBe(201)
  })

  it('of a great many fields are read, or refused, and the gateway goes on', async () => {
    const { send, channel, gateway, client } = await harbour(engine)
    const one = partOf('name="x"', '')
    const many = Buffer.concat([...Array.from({ length: 20_000 }, () => one), toForm(fileParts(channel, 'fog'))])
    expect([201, 400]).toContain((await send(many)).status)
    const lines = Buffer.from(`--${BOUNDARY}\r\n${'X-Y: z\r\n'.repeat(100_000)}\r\n`)
    expectError(await send(Buffer.concat([lines, Buffer.from(END)])), 400, 'VALIDATION')
    expect(await gateway.got(client)).toEqual([[]])
  })
})

describe.each(engines)('names of files, on %s', (engine) => {
  it.each([
    ['../../../etc/passwd', 'passwd'],
    ['..\\\\..\\\\fog.txt', 'fog.txt'],
    ['%2e%2e%2ffog', '%2e%2e%2ffog'],
    ['..', 'file'],
    ['', 'file'],
    ['fog%0D%0AX-Evil: yes%0D%0A%0D%0A<script>', 'fogX-Evil: yes<script>'],
    ['fog%22; filename=%22evil.exe', 'fog"; filename="evil.exe'],
    ["fog'(1)*.txt", "fog'(1)*.txt"],
    ['fog;=,%.txt', 'fog;=,%.txt'],
    ['⚓ 🌫.txt', '⚓ 🌫.txt'],
    ['x'.repeat(300), 'x'.repeat(200)],
  ])('%j is told as %j', async (given, name) => {
    const { gateway, ada, channel } = await harbour(engine)
    const { body, url } = await upload(gateway, ada, channel, 'fog', given)
    expect(field(body, 'name')).toBe(name)
    const { status, headers } = await look(gateway, url)
    expect([status, shownBy(headers)]).toEqual([200, name])
    expect(headers['x-evil']).toBeUndefined()
    // RFC 8187 §3.2.1: what is not of these letters is encoded.
    expect(headers['content-disposition']).toMatch(/^attachment; filename\*=UTF-8''(?:[\w!#$&+.^`|~-]|%[\dA-F]{2})+$/)
  })
})

describe.each(engines)('how long a body may be, on %s', (engine) => {
  it.each([
    ['told', {}],
    ['not told', CHUNKED],
  ])('64 KiB of JSON, 300 KiB with an image, whether it is %s', async (_told, headers) => {
    const { gateway, ada, channel, client, emojis } = await harbour(engine)
    const say = (length: number): Promise<Reply> => {
      const rest = length - JSON.stringify({ content: 'x', pad: '' }).length
      return gateway.request(
        'POST',
        `/channels/${channel}/messages`,
        ada,
        { content: 'x', pad: 'x'.repeat(rest) },
        headers,
      )
    }
    expect((await say(64 * KB)).status).toBe(201)
    tooLong(await say(64 * KB + 1))
    tooLong(await say(301 * KB))
    const make = (name: string, length: number, image = png(name)): Promise<Reply> => {
      const parts = [
        { name: 'name', content: name },
        { name: 'image', content: image, file: 'x' },
      ]
      return sendForm(gateway, emojis, ada, toFormOf(length, parts), headers)
    }
    expect((await make('buoy', 300 * KB, png('buoy', 256 * KB))).status).toBe(201)
    tooLong(await make('bell', 300 * KB + 1))
    tooLong(await make('bell', MB))
    expect(await gateway.got(client)).toEqual([['MESSAGE_CREATE', 'CUSTOM_EMOJI_CREATE']])
  })

  it.each([
    ['told', {}],
    ['not told', CHUNKED],
  ])('8 MiB of a file, and a little around it, whether it is %s', async (_told, headers) => {
    const { gateway, ada, channel, send } = await harbour(engine)
    const bytes = Buffer.alloc(8 * MB, 'fog at six ')
    const reply = await send(toForm(fileParts(channel, bytes)), FORM, headers)
    expect([reply.status, field(reply.body, 'size')]).toEqual([201, 8 * MB])
    const seen = await look(gateway, String(field(reply.body, 'url')))
    expect([seen.status, seen.body.equals(bytes)]).toEqual([200, true])
    tooLong(await send(toForm(fileParts(channel, Buffer.alloc(8 * MB + 8 * KB, 'x'))), FORM, headers))
    tooLong(await send(Buffer.alloc(10 * MB, 'x'), FORM, headers))
    expect(filesIn(gateway.folder, 'blobs')).toHaveLength(1)
    expect((await gateway.request('GET', '/users/@me', ada)).status).toBe(200)
  })

  it('maxFile is what a file has at most, to the byte', async () => {
    const { gateway, channel, send } = await harbour(engine, { maxFile: '1K' })
    expect((await send(toForm(fileParts(channel, 'x'.repeat(KB))))).status).toBe(201)
    for (const length of [KB + 1, 2 * KB]) {
      const reply = await send(toForm(fileParts(channel, 'x'.repeat(length))))
      expect([400, 413]).toContain(reply.status)
    }
    expect(filesIn(gateway.folder, 'blobs')).toHaveLength(1)
  })

  it('httpMaxBody is for all that is no file, whatever maxFile is', async () => {
    const pad = 'x'.repeat(3 * MB)
    for (const [maxFile, httpMaxBody, status] of [
      ['1K', '4M', 201],
      ['16M', '1M', 413],
    ] as const) {
      const { gateway, ada } = await harbour(engine, { maxFile, httpMaxBody })
      const reply = await gateway.request('POST', '/servers', ada, { name: 'Reef', pad })
      expect([maxFile, httpMaxBody, reply.status]).toEqual([maxFile, httpMaxBody, status])
    }
  })

  it('is looked at behind who asks, and behind ids', async () => {
    const { gateway, ada, emojis } = await harbour(engine)
    const long = Buffer.alloc(400 * KB, 'x')
    const post = (path: string, as: Person | null): Promise<Reply> =>
      gateway.request('POST', path, as, long, { 'Content-Type': FORM })
    for (const path of ['/files', emojis, '/servers/x/emojis', '/servers']) {
      expectError(await post(path, null), 401, 'UNAUTHORIZED')
    }
    expectError(await post('/servers/x/emojis', ada), 400, 'BAD_ID')
    tooLong(await post(emojis, ada))
    tooLong(await post('/invites/AAAAAAAA/accept', ada))
    // It is not too long for a file: it is none.
    expectError(await post('/files', ada), 400, 'VALIDATION')
  })
})
