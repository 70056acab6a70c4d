import { describe, expect, it } from 'vitest'
import { mayFetch, toBlocks } from '../../../lib/onebot/media/addresses.ts'

const none = toBlocks([])

describe('an address', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.167.255.255',
    '192.169.0.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::1',
  ])('of the internet is fetched from: %s', (address) => {
    expect(mayFetch(address, none)).toBe(true)
  })

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '3fff::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
  ])('of anything else is not: %s', (address) => {
    expect(mayFetch(address, none)).toBe(false)
  })

  it('that the config names is, and no other', () => {
    const some = toBlocks(['10.1.0.0/16', '127.0.0.1', 'fd00::/64'])
    expect(['10.1.2.3', '127.0.0.1', 'fd00::7'].map((one) => mayFetch(one, some))).toEqual([true, true, true])
    expect(['10.2.0.1', '127.0.0.2', 'fd00:0:0:1::7', '::1'].map((one) => mayFetch(one, some))).toEqual(
      Array(4).fill(false),
    )
  })
})
