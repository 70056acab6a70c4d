import { field, type Gateway, type Reply } from './gateway.ts'
import { ask, type Reply as Bytes } from './http.ts'

/** A field of a form; with a file name it is a file. */
export interface Part {
  readonly name: string
  readonly content: string | Buffer
  readonly file?: string
}

export const BOUNDARY = 'the-end-of-a-part'
/** What a form says that it is. */
export const FORM = `multipart/form-data; boundary=${BOUNDARY}`
export const END = `--${BOUNDARY}--\r\n`

/** A part as it is on the wire; its head may say anything. */
export const partOf = (disposition: string, content: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ])

export const toForm = (parts: readonly Part[]): Buffer =>
  Buffer.concat([
    ...parts.map(({ name, content, file }) =>
      partOf(`name="${name}"${file === undefined ? '' : `; filename="${file}"`}`, content),
    ),
    Buffer.from(END),
  ])

/** The same, of exactly so many bytes: a field that nobody reads makes up for what is missing. */
export function toFormOf(length: number, parts: readonly Part[]): Buffer {
  const rest = length - toForm([...parts, { name: 'padding', content: '' }]).length
  return toForm([...parts, { name: 'padding', content: 'x'.repeat(rest) }])
}

type Who = { readonly token: string } | string | null

export const sendForm = (
  gateway: Gateway,
  path: string,
  as: Who,
  form: readonly Part[] | Buffer,
  headers: Record<string, string> = {},
): Promise<Reply> =>
  gateway.request('POST', path, as, Buffer.isBuffer(form) ? form : toForm(form), { 'Content-Type': FORM, ...headers })

/** What an upload has. */
export const fileParts = (channel: string, bytes: string | Buffer, name = 'fog.txt'): Part[] => [
  { name: 'channel_id', content: channel },
  { name: 'file', content: bytes, file: name },
]

/** A file for a channel; what it was answered with. */
export async function upload(
  gateway: Gateway,
  as: { readonly token: string },
  channel: string,
  bytes: string | Buffer,
  name?: string,
): Promise<{ readonly id: string; readonly url: string; readonly body: unknown }> {
  const { status, body, text } = await sendForm(gateway, '/files', as, fileParts(channel, bytes, name))
  if (status !== 201) throw new Error(`${status} ${text}`)
  return { id: String(field(body, 'id')), url: String(field(body, 'url')), body }
}

/** What is at a path, for who has no account. */
export const look = (gateway: Gateway, path: string, method = 'GET'): Promise<Bytes> =>
  ask(gateway.port, path, { method })
