import type { HandlerFactory, Target } from '../handler.ts'
import { notFound } from '../hooks.ts'
import type { Host } from '../host.ts'
import type { Request } from '../web.ts'

/** Serves what there is to know about a host. */
export const observeHandler: HandlerFactory = (_route, host) => {
  const target: Target = { role: null, serve: (request) => serve(request, host) }
  return { methods: ['GET', 'HEAD'], upgrades: false, find: () => target }
}

async function serve(request: Request, host: Host): Promise<void> {
  const page = await host.report(request.path)
  if (page === null) return notFound(request, 'There are /metrics, /healthz, /readyz and /debug/closes')
  const { response } = request
  response?.setStatus(page.status)
  response?.add([
    ['Content-Type', page.type],
    ['Cache-Control', 'no-store'],
  ])
  response?.end(page.text)
}
