import { createReadStream, type Stats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { lookup } from 'mrmime'
import type { Exchange } from '../../engine/port.ts'
import { answer, give } from '../answer.ts'
import type { HandlerFactory } from '../handler.ts'

const NOT_FOUND = answer(404, 'Cannot locate document')

/** Serves the files below a folder. */
export const fileHandler: HandlerFactory = ({ documents, index }) => ({
  methods: ['GET', 'HEAD'],
  upgrades: false,
  has: () => true,
  async serve({ path, query }, exchange) {
    const file = await locate(documents, path.endsWith('/') ? path + index : path)
    if (file === null) return give(exchange, NOT_FOUND)
    if (file.stats.isDirectory()) {
      const name = encodeURI(path.slice(path.lastIndexOf('/') + 1))
        .replaceAll('?', '%3F')
        .replaceAll('#', '%23')
      const location = `./${name}/${query === '' ? '' : `?${query}`}`
      return give(exchange, answer(301, undefined, [['Location', location]]))
    }
    if (!file.stats.isFile()) return give(exchange, NOT_FOUND)
    exchange.writeHead(200, [
      ['Content-Type', contentType(file.path)],
      ['Content-Length', String(file.stats.size)],
      ['Last-Modified', file.stats.mtime.toUTCString()],
      ['X-Content-Type-Options', 'nosniff'],
    ])
    if (exchange.method === 'HEAD') exchange.end()
    else send(exchange, file.path, file.stats.size)
  },
})

/** A file below the root; null for what is not there, is hidden, or is a link that leads out. */
async function locate(root: string, path: string): Promise<{ path: string; stats: Stats } | null> {
  const hidden = path.split('/').some((segment) => segment.startsWith('.') && segment !== '.well-known')
  if (hidden) return null
  try {
    const base = await realpath(root)
    const real = await realpath(join(base, path))
    if (real !== base && !real.startsWith(base.endsWith(sep) ? base : base + sep)) return null
    return { path: real, stats: await stat(real) }
  } catch {
    return null
  }
}

function contentType(path: string): string {
  const type = lookup(extname(path).toLowerCase()) ?? 'application/octet-stream'
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}

/** Reads on as the peer takes it. The length is a promise: a file that grows meanwhile is cut there. */
function send(exchange: Exchange, path: string, size: number): void {
  if (size === 0) return exchange.end()
  const stream = createReadStream(path, { end: size - 1 })
  exchange.onAbort(() => stream.destroy())
  stream.on('error', () => exchange.abort())
  stream.on('data', (chunk) => {
    if (exchange.write(chunk)) return
    stream.pause()
    exchange.onDrain(() => stream.resume())
  })
  stream.on('end', () => exchange.end())
}
