import type { Home } from '../chat/home.ts'
import { Refusal } from '../chat/refusal.ts'
import { answer } from '../web/answer.ts'
import type { HandlerFactory, Target } from '../web/handler.ts'
import type { PerHost } from '../web/per-host.ts'
import { serveStored } from './serve.ts'

const NOT_FOUND = answer(404)

/** Links to files of the world, on listeners that have no gateway. */
export const createFilesHandler =
  (homes: PerHost<Home>): HandlerFactory =>
  (_route, host) => {
    const target: Target = {
      role: null,
      serve(request) {
        const { path, query, response } = request
        if (response === null) return undefined
        // Nothing keeps what was in it.
        request.url = path
        const { files } = homes.of(host).world
        const link = new URLSearchParams(query)
        try {
          const file = files.byLink(path.slice('/files/'.length), link.get('e') ?? '', link.get('s') ?? '')
          return serveStored(files, file, request, response)
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
          response.give(NOT_FOUND)
          return undefined
        }
      },
    }
    return { methods: ['GET', 'HEAD'], upgrades: false, find: () => target }
  }
