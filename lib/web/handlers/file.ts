import { statSync } from 'node:fs'
import { extname } from 'node:path'
import type { HeaderList } from '../../engine/port.ts'
import { answer } from '../answer.ts'
import type { RouteSettings } from '../config/settings.ts'
import { answerFile, type Description, toWhole } from '../files/answer.ts'
import { accepts, ENCODINGS } from '../files/encoding.ts'
import { toMediaType } from '../files/media.ts'
import { FileStore, type StoredFile } from '../files/store.ts'
import type { HandlerFactory, Target } from '../handler.ts'
import { notFound } from '../hooks.ts'
import { encodePath } from '../redirect.ts'
import type { Response } from '../response.ts'
import type { Request } from '../web.ts'

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
interface Whole {
  readonly before: HeaderList
  readonly headers: HeaderList
}

interface Site {
  readonly route: RouteSettings
  readonly store: FileStore
  /** Of files as they are, and of those that are served as an encoding of another. */
  readonly plain: WeakMap<StoredFile, Whole>
  readonly encoded: WeakMap<StoredFile, Whole>
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
    return answerFile(request, response, file, toDescription(file, encoding, wanted, site))
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

function toDescription(file: StoredFile, encoding: string | null, path: string, site: Site): Description {
  const { route, plain, encoded } = site
  const state = (): HeaderList => describeState(path, file, route)
  const form = (): HeaderList => describeForm(path, encoding, route)
  const known = encoding === null ? plain : encoded
  // Most answers have it in common.
  const whole = (before: HeaderList): HeaderList => {
    const made = known.get(file)
    if (made?.before === before) return made.headers
    const headers = toWhole(before, file, { state, form })
    known.set(file, { before, headers })
    return headers
  }
  return { state, form, whole }
}
