import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Proxies } from '../../lib/web/address.ts'

const PROXY = '10.0.0.1'
const proxies = new Proxies(['10.0.0.0/8', '2001:db8:ffff::/48'])

describe('whose request it is', () => {
  it.each([
    ['nobody is written down', PROXY, undefined, PROXY],
    ['an empty header', PROXY, '', PROXY],
    ['commas only', PROXY, ' , ,', PROXY],
    ['a client behind a proxy', PROXY, '192.0.2.1', '192.0.2.1'],
    ['a client that writes something itself', PROXY, '198.51.100.1, 192.0.2.1', '192.0.2.1'],
    ['a client that names a proxy of ours', PROXY, '10.0.0.9, 192.0.2.1', '192.0.2.1'],
    ['a peer that is no proxy', '192.0.2.1', '198.51.100.1', '192.0.2.1'],
    ['a peer that is no proxy and names one', '192.0.2.1', '198.51.100.1, 10.0.0.2', '192.0.2.1'],
    ['two proxies', PROXY, '192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['three, and a client that lies', PROXY, '127.0.0.1, 192.0.2.1, 10.0.0.3, 10.0.0.2', '192.0.2.1'],
    ['a proxy of somebody else', PROXY, '192.0.2.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['proxies only', PROXY, '10.0.0.4, 10.0.0.3', '10.0.0.4'],
    ['a client without an address', PROXY, 'unknown', PROXY],
    ['one behind two proxies', PROXY, '192.0.2.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['something that is none', PROXY, '192.0.2.1, _secret, 10.0.0.2', '10.0.0.2'],
    ['a comma at the end', PROXY, '192.0.2.1,', PROXY],
    ['a port', PROXY, '192.0.2.1:4711', '192.0.2.1'],
    ['a port behind IPv6', PROXY, '[2001:DB8::1]:4711', '2001:db8::1'],
    ['brackets without a port', PROXY, '[2001:db8::1]', '2001:db8::1'],
    ['IPv6 that ends like a port', PROXY, '2001:db8::1:80', '2001:db8::1:80'],
    ['ports all the way', PROXY, '192.0.2.1:1, [2001:db8:ffff::9]:2, 10.0.0.2:3', '192.0.2.1'],
    ['a bracket that stays open', PROXY, '[2001:db8::1', PROXY],
    ['a port that is none', PROXY, '192.0.2.1:http', PROXY],
    ['a list in quotes', PROXY, '"192.0.2.1"', PROXY],
    ['other spellings of peer and proxy', '::ffff:10.0.0.1', '192.0.2.1,::FFFF:10.0.0.2', '192.0.2.1'],
    ['a client in other clothes', PROXY, '::ffff:192.0.2.1', '192.0.2.1'],
    ['space around', PROXY, '  192.0.2.1 \t, 10.0.0.2 ', '192.0.2.1'],
    ['space within', PROXY, '192.0.2.1 10.0.0.2', PROXY],
    ['a peer without an address', '', '192.0.2.1', ''],
  ])('%s', (_name, peer, forwarded, client) => {
    expect(proxies.clientOf(peer, forwarded)).toBe(client)
  })

  it('without proxies it is the peer, in our spelling', () => {
    const nobody = new Proxies([])
    expect(nobody.clientOf('::ffff:192.0.2.1', '198.51.100.1')).toBe('192.0.2.1')
    expect(nobody.clientOf('2001:DB8:0::1%eth0', undefined)).toBe('2001:db8::1')
    expect(nobody.clientOf('', undefined)).toBe('')
  })

  const ours = fc.nat(0xffff).map((last) => ({ plain: `10.0.${last >> 8}.${last & 255}` }))
  const trusted = fc.oneof(
    ours.map(({ plain }) => ({ plain, written: plain })),
    ours.map(({ plain }) => ({ plain, written: `::ffff:${plain}` })),
    fc.integer({ min: 1, max: 0xffff }).map((last) => {
      const plain = `2001:db8:ffff::${last.toString(16)}`
      return { plain, written: `[${plain.toUpperCase()}]:443` }
    }),
  )
  const stranger = fc
    .oneof(fc.ipV4(), fc.constantFrom('2001:db8:fffe::1', '::1', '127.0.0.1'))
    .filter((one) => !proxies.trusts(one))
  const garbage = fc.constantFrom('unknown', '', '10.0.0.256', '_hidden', '10.0.0.1 10.0.0.2', '[]', 'http://10.0.0.1')
  /** What a client may send itself. */
  const anything = fc.oneof(
    fc.string(),
    fc
      .array(
        fc.oneof(
          trusted.map(({ written }) => written),
          stranger,
          garbage,
        ),
      )
      .map((hops) => hops.join(',')),
  )

  it('a client cannot choose: what counts is who spoke to the first of our proxies', () => {
    fc.assert(
      fc.property(anything, stranger, fc.array(trusted), (left, client, chain) => {
        const hops = [left, client, ...chain.map(({ written }) => written)]
        expect(proxies.clientOf(PROXY, hops.join(', '))).toBe(client)
        expect(proxies.clientOf(client, hops.join(', '))).toBe(client)
      }),
    )
  })

  it('where that has no address, it is that proxy', () => {
    fc.assert(
      fc.property(anything, garbage, fc.array(trusted), (left, nobody, chain) => {
        const hops = [left, nobody, ...chain.map(({ written }) => written)]
        expect(proxies.clientOf(PROXY, hops.join(','))).toBe(chain[0]?.plain ?? PROXY)
      }),
    )
  })

  it('where all are ours, it is the first of them', () => {
    fc.assert(
      fc.property(fc.array(trusted, { minLength: 1 }), (chain) => {
        const hops = chain.map(({ written }) => written)
        expect(proxies.clientOf(PROXY, hops.join(','))).toBe(chain[0]?.plain)
      }),
    )
  })
})
