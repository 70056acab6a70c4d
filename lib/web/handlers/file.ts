import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { extname } from 'node:path'
import type { HeaderList } from '../../engine/port.ts'
import { keepHeaders } from '../../rfc9110.ts'
import { answer } from '../answer.ts'
import type { RouteSettings } from '../config/settings.ts'
import { isKnown, isUnwanted, mayBePart } from '../files/conditional.ts'
import { accepts, ENCODINGS } from '../files/encoding.ts'
import { toMediaType } from '../files/media.ts'
import { parseRange, type Range } from '../files/range.ts'
import { type Piece, sendPieces } from '../files/send.ts'
import { FileStore, type StoredFile } from '../files/store.ts'
import type { HandlerFactory, Target } from '../handler.ts'
import { notFound } from '../hooks.ts'
import { encodePath } from '../redirect.ts'
import { joinHeaders, type Response } from '../response.ts'
import type { Request } from '../web.ts'

const CHANGED = answer(412)
const MISSING = 'Cannot locate document'

/** Serves the files below a folder. */
export const fileHandler: HandlerFactory = (route, host) => {
  if (route.redirect === null && !statSync(route.documents, { throwIfNoEntry: false })?.isDirectory()) {
    host.warnings.push(`route '${route.match}' has no documents: there is no folder ${route.documents}`)
  }
  const site: Site = { route, store: new FileStore(route.documents), plain: new WeakMap(), encoded: new WeakMap() }
  const target: Target = { role: null, serve: (request) => serve(request, site) }
  return { methods: ['GET', 'HEAD'], upgrades: false, find: () => target }
}

/** The header of a whole file behind one of its host and route. */
interface Description {
  readonly before: HeaderList
  readonly headers: HeaderList
}

interface Site {
  readonly route: RouteSettings
  readonly store: FileStore
  /** Of files as they are, and of those that are served as an encoding of another. */
  readonly plain: WeakMap<StoredFile, Description>
  readonly encoded: WeakMap<StoredFile, Description>
}

function serve(request: Request, site: Site): Promise<void> | undefined {
  const { path, response, headers } = request
  if (response === null) return undefined
  const { route, store } = site
  const wanted = path.endsWith('/') ? path + route.index : path
  const found = store.find(wanted)
  if (found === null) notFound(request, MISSING)
  // A folder of the index's name leads nowhere.
  else if (found.kind === 'folder' && path.endsWith('/')) notFound(request, MISSING)
  else if (found.kind === 'folder') toFolder(request, response)
  else {
    const { file, encoding } = route.compressed
      ? choose(wanted, found, headers, store)
      : { file: found, encoding: null }
    return answerWith(file, encoding, wanted, request, response, site)
  }
  return undefined
}

/** The same place with a slash behind it, so that relative links work; relative itself, for a prefix may be in front. */
function toFolder({ path, query }: Request, response: Response): void {
  const name = encodePath(path.slice(path.lastIndexOf('/') + 1))
  response.give(answer(301, undefined, [['Location', `./${name}/${query === '' ? '' : `?${query}`}`]]))
}

/** A file, or what lies compressed beside it and its client takes. */
function choose(
  path: string,
  file: StoredFile,
  headers: Request['headers'],
  store: FileStore,
): { readonly file: StoredFile; readonly encoding: string | null } {
  for (const { name, extension } of ENCODINGS) {
    const beside = accepts(headers['accept-encoding'], name) ? store.find(path + extension) : null
    if (beside?.kind === 'file') return { file: beside, encoding: name }
  }
  return { file, encoding: null }
}

/** What holds of a file whether it is sent or not. */
function describeState(path: string, file: StoredFile, { compressed, cache }: RouteSettings): HeaderList {
  const cached = cache !== null && (cache.extensions?.includes(extname(path).slice(1).toLowerCase()) ?? true)
  return [
    ['Last-Modified', new Date(file.modified).toUTCString()],
    ['ETag', file.etag],
    ['Accept-Ranges', 'bytes'],
    ...(compressed ? [['Vary', 'Accept-Encoding'] as const] : []),
    ...(cached && cache.control !== '' ? [['Cache-Control', cache.control] as const] : []),
  ]
}

/** What holds of its bytes. */
const describeForm = (path: string, encoding: string | null, { mime }: RouteSettings): HeaderList => [
  ['Content-Type', toMediaType(path, mime)],
  ['X-Content-Type-Options', 'nosniff'],
  ...(encoding === null ? [] : [['Content-Encoding', encoding] as const]),
]

/** The whole file, parts of it, or word that the client has it already. */
function answerWith(
  file: StoredFile,
  encoding: string | null,
  path: string,
  { headers, method }: Request,
  response: Response,
  site: Site,
): Promise<void> | undefined {
  const { route } = site
  if (isUnwanted(headers, file)) {
    response.add(describeState(path, file, route))
    response.give(CHANGED)
    return undefined
  }
  if (isKnown(headers, file)) {
    response.add(describeState(path, file, route))
    response.notModified()
    return undefined
  }
  const ranges = method === 'GET' && mayBePart(headers, file) ? parseRange(headers['range'], file.size) : null
  if (ranges === null) {
    response.headers = describe(file, encoding, path, response.headers, site)
    if (method === 'HEAD') response.end()
    else if (file.bytes !== null) response.end(file.bytes)
    else return sendPieces(response, file, [{ start: 0, end: file.size - 1 }], file.size)
    return undefined
  }
  response.add(describeState(path, file, route))
  if (ranges.length === 0) {
    response.give(answer(416, undefined, [['Content-Range', `bytes */${file.size}`]]))
    return undefined
  }
  response.add(describeForm(path, encoding, route))
  const { pieces, length } = toParts(ranges, file, response)
  response.add([['Content-Length', String(length)]])
  return sendPieces(response, file, pieces, length)
}

/** The header of a whole file, which most answers have in common. */
function describe(
  file: StoredFile,
  encoding: string | null,
  path: string,
  before: HeaderList,
  { route, plain, encoded }: Site,
): HeaderList {
  const known = encoding === null ? plain : encoded
  const made = known.get(file)
  if (made?.before === before) return made.headers
  const own = [...describeState(path, file, route), ...describeForm(path, encoding, route)]
  const headers = keepHeaders(joinHeaders(before, [...own, ['Content-Length', String(file.size)]]))
  known.set(file, { before, headers })
  return headers
}

interface Body {
  readonly pieces: readonly Piece[]
  readonly length: number
}

const lengthOf = ({ start, end }: Range): number => end + 1 - start

/** One part as it is, several between boundaries (RFC 9110 §14.6). */
function toParts(ranges: readonly Range[], { size }: StoredFile, response: Response): Body {
  const toContentRange = ({ start, end }: Range): string => `bytes ${start}-${end}/${size}`
  response.setStatus(206)
  const [only] = ranges
  if (ranges.length === 1 && only !== undefined) {
    response.add([['Content-Range', toContentRange(only)]])
    return { pieces: [only], length: lengthOf(only) }
  }
  const boundary = randomBytes(16).toString('hex')
  const type = response.headers.find(([name]) => name === 'Content-Type')?.[1] ?? ''
  const pieces = ranges.flatMap((range): Piece[] => [
    `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${toContentRange(range)}\r\n\r\n`,
    range,
  ])
  pieces.push(`\r\n--${boundary}--\r\n`)
  response.add([['Content-Type', `multipart/byteranges; boundary=${boundary}`]])
  const length = pieces.reduce((sum, piece) => sum + (typeof piece === 'string' ? piece.length : lengthOf(piece)), 0)
  return { pieces, length }
}
