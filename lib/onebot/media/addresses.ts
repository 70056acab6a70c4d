import { BlockList, isIPv4 } from 'node:net'
import { addNetwork } from '../../web/address.ts'

/* Which addresses anybody may have fetched: those of hosts of the internet, and what the config adds. */

/** IPv4 that is not of the internet (IANA, Special-Purpose Address Registry), and the one that Azure answers its machines on. */
const SPECIAL_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** All of IPv6 that is given to hosts, and what of it is for something else, or has an IPv4 in it. */
const GLOBAL_6 = ['2000::/3']
const SPECIAL_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/** @param networks that have been checked */
export function toBlocks(networks: readonly string[]): BlockList {
  const blocks = new BlockList()
  for (const network of networks) addNetwork(blocks, network)
  return blocks
}

const [special4, global6, special6] = [toBlocks(SPECIAL_4), toBlocks(GLOBAL_6), toBlocks(SPECIAL_6)]

/** @param allowed those that may be fetched from though they are not of the internet */
export function mayFetch(address: string, allowed: BlockList): boolean {
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  if (allowed.check(address, family)) return true
  return family === 'ipv4'
    ? !special4.check(address, family)
    : global6.check(address, family) && !special6.check(address, family)
}
