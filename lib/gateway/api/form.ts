import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy } from '@fastify/busboy'
import { Refusal } from '../../chat/refusal.ts'

/** A file of a form, and what its sender calls it. */
export interface FormFile {
  readonly name: string
  readonly bytes: Buffer
}

/** What a form has, by the names of its fields. */
export class Form {
  readonly fields = new Map<string, string>()
  readonly files = new Map<string, FormFile>()
}

/** Ours have two fields. */
const MAX_PARTS = 64
/** The length of all is bounded by that of the body. */
const LIMITS = { parts: MAX_PARTS, headerPairs: 16, headerSize: 4096, fieldSize: Infinity }
/** Bytes that are looked at before it is seen whether there is too much. */
const CHUNK = 65_536

const invalid = (message: string): Refusal => new Refusal('INVALID', message)

/** As browsers write names into a header: three characters stand for themselves otherwise. */
const toName = (written: string): string => written.replaceAll(/%(?:22|0D|0A)/gi, decodeURIComponent)

/** A body of multipart/form-data (RFC 7578) that is whole; INVALID for what is none, or has more fields than any of ours. */
export async function parseForm(body: Buffer, type: string): Promise<Form> {
  const form = new Form()
  const enough = new AbortController()
  // In pieces: so that it can end before all of it was looked at.
  const pieces = Readable.from(
    Array.from({ length: Math.ceil(body.length / CHUNK) }, (_, i) => body.subarray(i * CHUNK, (i + 1) * CHUNK)),
  )
  try {
    const parser = new Busboy({ headers: { 'content-type': type }, limits: LIMITS })
    parser.on('field', (name, value) => {
      if (!form.fields.has(name)) form.fields.set(name, value)
    })
    parser.on('file', (field, stream, name) => {
      const parts: Buffer[] = []
      // It ends with the form, which says so.
      stream.on('error', () => {})
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        if (!form.files.has(field)) form.files.set(field, { name: toName(name ?? ''), bytes: Buffer.concat(parts) })
      })
    })
    parser.on('partsLimit', () => enough.abort())
    await pipeline(pieces, parser, { signal: enough.signal })
  } catch {
    throw invalid(enough.signal.aborted ? 'The form has too many fields' : 'The body is not multipart/form-data')
  }
  return form
}

/** A field that is text. */
export function fieldOf({ fields }: Form, name: string): string {
  const value = fields.get(name)
  if (value === undefined) throw invalid(`${name} is needed`)
  return value
}

/** A field that is a file. */
export function fileOf({ files }: Form, name: string): FormFile {
  const file = files.get(name)
  if (file === undefined) throw invalid(`${name} has to be a file`)
  if (file.bytes.length === 0) throw invalid(`${name} is empty`)
  return file
}
