import { createHmac } from 'node:crypto'
import type { GatewaySettings, IceServer } from '../../web/config/gateway.ts'
import { userOf } from './call.ts'
import { ok, type Route, route } from './router.ts'

/**
 * A credential of its own for each who asks: what a TURN server that shares the secret takes until then
 * (draft-uberti-behave-turn-rest-00, as coturn has it). One that is the same for all would be anybody's for good.
 */
function toCredential(secret: string, user: string, until: number): Pick<IceServer, 'username' | 'credential'> {
  const username = `${Math.floor(until / 1000)}:${user}`
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') }
}

export const iceRoutes = ({ iceServers, iceTtl }: GatewaySettings, now: () => number): Route[] => [
  route('GET /ice-servers', 'user', (call) => {
    const user = userOf(call)
    const servers = iceServers.map(({ urls, secret, ...server }) => {
      const { username, credential } = secret === null ? server : toCredential(secret, user, now() + iceTtl)
      // What there is not is left out: browsers take no null.
      return { urls, ...(username === null ? {} : { username }), ...(credential === null ? {} : { credential }) }
    })
    return ok({ iceServers: servers, ttl: iceTtl / 1000 })
  }),
]
