import type { Handler, HandlerFactory } from '../handler.ts'
import { notFound } from '../hooks.ts'
import type { Reporter } from '../observer.ts'
import type { Request } from '../web.ts'

/** Serves what there is to know about the host itself, below the route. */
export const observeHandler: HandlerFactory = ({ match }, host) => toReportHandler(host, match)

export function toReportHandler(about: Reporter, match: string): Handler {
  const above = match.replace(/\/$/, '')
  const target = { role: null, serve: (request: Request) => serve(request, about, above) }
  return { methods: ['GET', 'HEAD'], upgrades: false, find: () => target }
}

async function serve(request: Request, about: Reporter, above: string): Promise<void> {
  const { path } = request
  const page = await about.report(path.startsWith(`${above}/`) ? path.slice(above.length) : path)
  if (page === null) return notFound(request, 'There are /metrics, /healthz, /readyz and /debug/closes')
  const { response } = request
  response?.setStatus(page.status)
  response?.add([
    ['Content-Type', page.type],
    ['Cache-Control', 'no-store'],
  ])
  response?.end(page.text)
}
