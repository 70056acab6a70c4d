import { once } from 'node:events'
import { createServer } from 'node:http'
import sirv from 'sirv'
import { makeSite } from './site.ts'

/** The `sirv` package on node:http, for production: it looks at the folder once, and never again. */
export async function startSirv(): Promise<number> {
  const serve = sirv(makeSite(), { etag: true })
  const server = createServer((request, response) => {
    serve(request, response, () => {
      response.statusCode = 404
      response.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
