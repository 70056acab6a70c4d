import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net'

/** An IPv4 address in the clothes of IPv6 (RFC 4291 §2.5.5.2), as node spells it. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/

/** One spelling for each address: IPv4 as itself, IPv6 in short and lower case; null for none. */
export function toAddress(text: string): string | null {
  if (isIPv4(text)) return text
  const [plain = ''] = text.split('%', 1)
  if (isIP(plain) !== 6) return null
  const { address } = new SocketAddress({ address: plain, family: 'ipv6' })
  return MAPPED.exec(address)?.[1] ?? address
}

/** `10.0.0.0/8`, or an address alone. Throws what is wrong. */
export function addNetwork(list: BlockList, text: string): void {
  const [address = '', bits, ...more] = text.trim().split('/')
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  const most = family === 'ipv4' ? 32 : 128
  const prefix = bits === undefined ? most : Number(bits)
  const fits = /^\d+$/.test(bits ?? '0') && prefix <= most
  if (isIP(address) === 0 || !fits || more.length > 0)
    throw new Error('is not an address or a network such as 10.0.0.0/8')
  list.addSubnet(address, prefix, family)
}

/** Proxies that are believed when they say whom they speak for. */
export class Proxies {
  readonly #list = new BlockList()
  readonly #none: boolean

  /** @param networks that have been checked */
  constructor(networks: readonly string[]) {
    this.#none = networks.length === 0
    for (const network of networks) addNetwork(this.#list, network)
  }

  trusts(address: string): boolean {
    const plain = this.#none ? null : toAddress(address)
    return plain !== null && this.#list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
  }

  /**
   * Whose request this is: each proxy writes down, on the right, who spoke to it, so that the first from the right which is no
   * proxy of ours is the client. What stands left of that is the client's own word.
   *
   * @param peer who holds the connection
   * @param forwarded the X-Forwarded-For header
   */
  clientOf(peer: string, forwarded: string | undefined): string {
    let client = toAddress(peer) ?? peer
    if (this.#none || forwarded === undefined) return client
    for (const hop of forwarded.split(',').toReversed()) {
      if (!this.trusts(client)) return client
      const before = toAddress(withoutPort(hop.trim()))
      if (before === null) return client
      client = before
    }
    return client
  }
}

/** Some proxies write down the port, too: `192.0.2.1:80`, `[2001:db8::1]:80`. */
const withoutPort = (hop: string): string =>
  /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop

/** What is counted as one client: with IPv6 whoever has one address has the other 2^64 of its network (RFC 4291 §2.5.1). */
export function toClient(address: string): string {
  if (isIP(address) !== 6) return address
  const [left = '', right] = address.split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}
