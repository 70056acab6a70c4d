import { type Path, valueAt } from './check.ts'
import { type Address, parseEndpoint } from './endpoint.ts'

/** The addresses of `web.listen` that can be read, each with its path. */
export function addressesOf(value: unknown): { readonly path: Path; readonly address: Address }[] {
  const listen = valueAt(value, ['web', 'listen'])
  const texts: unknown[] = Array.isArray(listen) ? listen : [listen]
  return texts.flatMap((text, i) => {
    try {
      const address = typeof text === 'string' ? parseEndpoint(text) : null
      return address === null ? [] : [{ path: ['web', 'listen', ...(Array.isArray(listen) ? [i] : [])], address }]
    } catch {
      return []
    }
  })
}

export const ALL: ReadonlySet<string> = new Set(['::', '0.0.0.0'])

type Place = Pick<Address, 'host' | 'port'>

/** Whether two listeners would be in each other's way. */
export const meet = (one: Place, other: Place): boolean =>
  one.port !== 0 && other.port === one.port && (other.host === one.host || ALL.has(other.host) || ALL.has(one.host))
