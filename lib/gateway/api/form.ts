import { Refusal } from '../../chat/refusal.ts'

const invalid = (message: string): Refusal => new Refusal('INVALID', message)

/** A body of multipart/form-data (RFC 7578) that is whole; INVALID for what is none. */
export async function parseForm(body: Buffer, type: string): Promise<FormData> {
  try {
    return await new Response(body, { headers: { 'Content-Type': type } }).formData()
  } catch {
    throw invalid('The body is not multipart/form-data')
  }
}

/** A field that is text. */
export function fieldOf(form: FormData, name: string): string {
  const value = form.get(name)
  if (typeof value !== 'string') throw invalid(`${name} is needed`)
  return value
}

/** A field that is a file, and what its sender calls it. */
export async function fileOf(form: FormData, name: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const value = form.get(name)
  if (value === null || typeof value === 'string') throw invalid(`${name} has to be a file`)
  const bytes = Buffer.from(await value.arrayBuffer())
  if (bytes.length === 0) throw invalid(`${name} is empty`)
  return { name: value.name, bytes }
}
