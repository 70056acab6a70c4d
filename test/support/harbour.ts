import type { GatewayConfig } from '../../include-types/web.ts'
import { type Client, Gateway, type Person } from './gateway.ts'
import type { EngineName } from './server.ts'

/** Somebody with several connections is among those who hear what happens. */
export type Twice = 'brin' | 'cleo'

/**
 * Ada's server, with one channel: brin and cleo are in it, one of them with two connections. Dov is elsewhere, in a server of
 * his own that cleo is in, too. All are connected, and have had their READY.
 */
export async function startHarbour(engine: EngineName, twice: Twice = 'brin', settings: GatewayConfig = {}) {
  const gateway = await Gateway.start(engine, settings)
  const person = (name: string): Promise<Person> => gateway.person(name)
  const [ada, brin, cleo, dov] = [await person('ada'), await person('brin'), await person('cleo'), await person('dov')]
  const server = await gateway.server(ada, brin, cleo)
  const elsewhere = await gateway.server(dov, cleo)
  const connect = (who: Person): Promise<Client> => gateway.connect(who)
  const clients = [
    await connect(ada),
    await connect(brin),
    await connect(twice === 'brin' ? brin : cleo),
    await connect(cleo),
    await connect(dov),
  ] as const
  await gateway.got(...clients)
  /** What the connections of ada, brin (and again), cleo (and again), and dov have got since the last time. */
  const heard = (): Promise<string[][]> => gateway.got(...clients)
  return { gateway, ada, brin, cleo, dov, clients, heard, elsewhere, ...server }
}
