import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addNetwork, Proxies, toAddress, toClient } from '../../lib/web/address.ts'
import { asMapped, spelling, words } from '../support/addresses.ts'

describe('one spelling for each address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['2001:0db8:0:0:0:0:0:0001', '2001:db8::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::', '::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ])('%s is %s', (text, address) => {
    expect(toAddress(text)).toBe(address)
  })

  it.each([
    '',
    ' ',
    ' 192.0.2.1',
    '192.0.2.1 ',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.01',
    '0xc0000201',
    '3221225985',
    '192.0.2.1%eth0',
    '192.0.2.1:80',
    '::ffff:192.0.2.256',
    '::ffff:1.2.3.4.5',
    '2001:db8::1::2',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '[::1]',
    '%eth0',
    'localhost',
    'unknown',
    '_hidden',
    '192.0.2.1\n',
  ])('%j is none', (text) => {
    expect(toAddress(text)).toBeNull()
  })

  it('whichever way it is written', () => {
    fc.assert(
      fc.property(words, spelling, spelling, (address, one, other) => {
        fc.pre(!asMapped(address))
        expect(toAddress(one(address))).toBe(toAddress(other(address)))
        expect(toAddress(one(address))).toBe(toAddress(toAddress(one(address)) ?? ''))
      }),
    )
  })

  // Was wrong: only '::ffff:' with dots is taken for IPv4; other spellings of the same address stay IPv6.
  it.each(['::ffff:c000:201', '0:0:0:0:0:ffff:192.0.2.1', '0:0:0:0:0:FFFF:C000:0201', '::ffff:192.0.2.1%eth0'])(
    'IPv4 in any clothes of IPv6: %s',
    (text) => {
      expect(toAddress(text)).toBe('192.0.2.1')
    },
  )
})

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.0'],
    ['10.9.9.9/8', '10.0.0.1', '9.255.255.255'],
    [' 10.0.0.0/8 ', '10.1.1.1', '100.0.0.1'],
    ['10.0.0.0/9', '10.127.255.255', '10.128.0.0'],
    ['192.0.2.6/31', '192.0.2.7', '192.0.2.8'],
    ['192.0.2.7/32', '192.0.2.7', '192.0.2.6'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.6'],
    ['0.0.0.0/0', '255.255.255.255', '::1'],
    ['::/0', 'ffff::1', 'unknown'],
    ['2001:db8::/33', '2001:db8:7fff::1', '2001:db8:8000::'],
    ['2001:DB8::1/128', '2001:db8::1', '2001:db8::2'],
    ['2001:db8::1', '2001:db8:0::1', '2001:db8::'],
    ['fe80::/10', 'fe80::1%eth0', 'fec0::1'],
    ['10.0.0.0/8', '::ffff:10.0.0.1', '::ffff:11.0.0.1'],
    ['::ffff:10.0.0.0/104', '10.1.1.1', '11.0.0.1'],
  ])('%s has %s, and not %s', (network, inside, outside) => {
    const proxies = new Proxies([network])
    expect([proxies.trusts(inside), proxies.trusts(outside)]).toEqual([true, false])
  })

  it.each([
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8.0',
    '10.0.0.0/8/8',
    '10.0.0.0/0x8',
    '10.0.0.0/ 8',
    '10.0.0.0 /8',
    '10.0.0.0/255.0.0.0',
    '10.0.0/8',
    '10.0.0.256',
    '::/129',
    '[::1]',
    '::1::/64',
    'localhost',
    'example.com/8',
    '*',
  ])('%j is none', (text) => {
    const list = new BlockList()
    expect(() => addNetwork(list, text)).toThrow('is not an address or a network such as 10.0.0.0/8')
    expect(list.rules).toEqual([])
    expect(() => new Proxies(['10.0.0.0/8', text])).toThrow('is not an address')
  })

  it('several are one after the other, and none trusts nobody', () => {
    const proxies = new Proxies(['10.0.0.1', '2001:db8::/32', '192.0.2.0/24'])
    expect(['10.0.0.1', '2001:db8::9', '192.0.2.9'].every((one) => proxies.trusts(one))).toBe(true)
    expect(['10.0.0.2', '2001:db9::', '192.0.3.1', '', 'unknown'].some((one) => proxies.trusts(one))).toBe(false)
    expect(new Proxies([]).trusts('10.0.0.1')).toBe(false)
  })
})

describe('what is counted as one client', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['', ''],
    ['unknown', 'unknown'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:0:2:0:4:5:6', '2001:db8:0:2'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['1::', '1:0:0:0'],
    ['1:2:3::8', '1:2:3:0'],
    ['::4:5:6:7:8', '0:0:0:4'],
    ['1::5:6:7:8', '1:0:0:0'],
    ['1:2:3:4:5:6:7::', '1:2:3:4'],
  ])('%s is of %s', (address, client) => {
    expect(toClient(address)).toBe(client)
  })

  it('is the first half of IPv6, whichever way it is written', () => {
    const clientOf = (text: string): string => toClient(toAddress(text) ?? '')
    fc.assert(
      fc.property(words, words, spelling, spelling, (address, other, one, another) => {
        const neighbour = [...address.slice(0, 4), ...other.slice(4)]
        fc.pre(!asMapped(address) && !asMapped(neighbour) && !asMapped(other))
        expect(clientOf(one(address))).toBe(clientOf(another(neighbour)))
        const same = address.slice(0, 4).join() === other.slice(0, 4).join()
        expect(clientOf(one(address)) === clientOf(another(other))).toBe(same)
      }),
    )
  })
})
