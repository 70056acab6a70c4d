import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { App, type WebSocketBehavior } from 'uWebSockets.js'
import { listen } from './listen.ts'
import { files, makeSite } from './site.ts'

const decode = (message: ArrayBuffer): string => Buffer.from(message).toString()

/** uWebSockets.js without a layer: text decoded to a string, or the ArrayBuffer as it comes. */
export function startRaw(mode: 'string' | 'view'): Promise<number> {
  const app = App()
  // Compression is off unless it is asked for.
  const options: WebSocketBehavior<unknown> = {
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxPayloadLength: 64 << 20,
    maxBackpressure: 64 << 20,
  }
  app.ws('/fan', {
    ...options,
    open: (ws) => void ws.subscribe('all'),
    message:
      mode === 'view'
        ? (_ws, message, isBinary) => void app.publish('all', message, isBinary)
        : (_ws, message, isBinary) => void app.publish('all', decode(message), isBinary),
  })
  app.ws('/*', {
    ...options,
    message:
      mode === 'view'
        ? (ws, message, isBinary) => void ws.send(message, isBinary)
        : (ws, message, isBinary) => void ws.send(decode(message), isBinary),
  })
  return listen(app)
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

/**
 * Files that are read at the start, with the headers that ours have, and the requests that this promises to understand looked
 * for: the least that an answer with them can cost.
 */
export function startRawFiles(): Promise<number> {
  const app = App()
  const site = makeSite()
  for (const name of files) {
    const path = join(site, name)
    const bytes = readFileSync(path)
    const { size, mtimeMs, ino } = statSync(path)
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
    const etag = `"${[size, Math.floor(mtimeMs), ino].map((part) => part.toString(16)).join('-')}"`
    const modified = new Date(mtimeMs).toUTCString()
    app.get(`/${name}`, (res, req) => {
      if (req.getHeader('if-none-match') === etag || req.getHeader('range') !== '') {
        res.writeStatus('501 Not Implemented').end()
        return
      }
      res.writeHeader('Last-Modified', modified)
      res.writeHeader('ETag', etag)
      res.writeHeader('Accept-Ranges', 'bytes')
      res.writeHeader('Content-Type', type)
      res.writeHeader('X-Content-Type-Options', 'nosniff')
      res.end(bytes)
    })
  }
  return listen(app)
}
