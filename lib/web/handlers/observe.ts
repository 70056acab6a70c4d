import type { Handler, HandlerFactory } from '../handler.ts'
import { notFound } from '../hooks.ts'
import type { Reporter } from '../observer.ts'
import type { Request } from '../web.ts'

/** Serves what there is to know about the host itself. */
export const observeHandler: HandlerFactory = (_route, host) => toReportHandler(host)

export function toReportHandler(about: Reporter): Handler {
  const target = { role: null, serve: (request: Request) => serve(request, about) }
  return { methods: ['GET', 'HEAD'], upgrades: false, find: () => target }
}

async function serve(request: Request, about: Reporter): Promise<void> {
  const page = await about.report(request.path)
  if (page === null) return notFound(request, 'There are /metrics, /healthz, /readyz and /debug/closes')
  const { response } = request
  response?.setStatus(page.status)
  response?.add([
    ['Content-Type', page.type],
    ['Cache-Control', 'no-store'],
  ])
  response?.end(page.text)
}
