import { describe, expect, it } from 'vitest'
import { parts } from '../../lib/parts.ts'
import { createHost } from '../../lib/web/host.ts'
import { PerHost } from '../../lib/web/per-host.ts'

const make = () =>
  createHost({ web: { engine: 'node', listen: 'http://127.0.0.1:0', routes: [{ handler: 'action' }] } }, parts)

describe('what handlers of a host share', () => {
  it('is made once for each, and let go of when it ends, the latest first', async () => {
    const told: string[] = []
    const [one, other] = [make(), make()]
    const nameOf = (host: unknown): string => (host === one ? 'one' : 'other')
    const below = new PerHost(
      (host) => (told.push(`below ${nameOf(host)}`), { host }),
      ({ host }) => void told.push(`no below ${nameOf(host)}`),
    )
    const above = new PerHost(
      (host) => (told.push(`above ${nameOf(host)}`), below.of(host)),
      async ({ host }) => {
        await Promise.resolve()
        told.push(`no above ${nameOf(host)}`)
      },
    )
    below.of(one)
    expect(above.of(one)).toBe(above.of(one))
    above.of(other)
    expect(below.of(one)).not.toBe(below.of(other))
    expect(told.splice(0)).toEqual(['below one', 'above one', 'above other', 'below other'])
    expect(await one.start()).toBe(0)
    await one.stop()
    expect(told.splice(0)).toEqual(['no above one', 'no below one'])
    // A host that starts again has another.
    above.of(one)
    expect(told.splice(0)).toEqual(['above one', 'below one'])
    await Promise.all([one.free(), other.free()])
  })
})
