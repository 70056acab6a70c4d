import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packHeaders, unpackHeaders } from '../../lib/web/headers.ts'

const name = fc.oneof(
  fc.constantFrom('host', 'upgrade', 'connection', 'origin', 'cookie', 'user-agent', 'accept-encoding'),
  fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9a-z]{1,12}$/).filter((text) => text !== '__proto__'),
)
// As engines give them: latin1, without line ends.
const value = fc.oneof(
  fc.constantFrom('websocket', 'Upgrade', 'keep-alive, Upgrade', 'no-cache', '', 'a:b'),
  fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,40}$/),
)

describe('the header of a handshake as one string', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 20 }), (headers) => {
        expect(unpackHeaders(packHeaders(headers))).toEqual({ ...headers })
      }),
    )
  })

  it('is short where handshakes are alike', () => {
    const headers = {
      'host': 'x',
      'upgrade': 'websocket',
      'connection': 'Upgrade',
      'sec-websocket-version': '13',
    }
    expect(packHeaders(headers).length).toBeLessThan(10)
    expect(packHeaders({})).toBe('')
    expect(unpackHeaders('')).toEqual({})
  })
})
