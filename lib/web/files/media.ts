import { mimes } from 'mrmime'

/** What mrmime does not have, or has otherwise than the table of Ioto. */
const OWN: Readonly<Record<string, string>> = {
  avi: 'video/x-msvideo',
  bin: 'application/octet-stream',
  class: 'application/java-vm',
  eps: 'application/postscript',
  gz: 'application/gzip',
  ico: 'image/vnd.microsoft.icon',
  js: 'text/javascript',
  map: 'application/json',
  mjs: 'text/javascript',
  patch: 'text/x-diff',
  ps: 'application/postscript',
  tgz: 'application/gzip',
  z: 'application/x-compress',
}

/** The media type of a file, by its last extension in any case. */
export function toMediaType(path: string, mime: Readonly<Record<string, string>>): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const dot = name.lastIndexOf('.')
  const extension = dot === -1 ? '' : name.slice(dot + 1)
  const type = of(mime, `.${extension}`) ?? of(OWN, extension) ?? of(mimes, extension) ?? 'application/octet-stream'
  return type.startsWith('text/') && !type.includes(';') ? `${type}; charset=utf-8` : type
}

/** A name comes from a request: it may be that of something every object has. */
const of = (table: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined
