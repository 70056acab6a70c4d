import fc from 'fast-check'

/** The eight words of an IPv6 address; many are 0, and some have an IPv4 address at their end. */
export const words = fc.oneof(
  fc.array(fc.oneof(fc.constant(0), fc.constant(0xffff), fc.nat(0xffff)), { minLength: 8, maxLength: 8 }),
  fc.tuple(fc.nat(0xffff), fc.nat(0xffff)).map(([high, low]) => [0, 0, 0, 0, 0, 0, high, low]),
)

/** Whether it is an IPv4 address in the clothes of IPv6. */
export const asMapped = (address: readonly number[]): boolean => address.slice(0, 6).join() === '0,0,0,0,0,65535'

/** A way to write an address (RFC 4291 §2.2): with or without leading zeros, '::' in any place, in capitals, dots at the end. */
export const spelling = fc
  .record({ padded: fc.boolean(), capitals: fc.boolean(), dots: fc.boolean(), zone: fc.boolean(), gap: fc.nat(7) })
  .map(({ padded, capitals, dots, zone, gap }) => (address: readonly number[]): string => {
    const parts = address.map((word) => word.toString(16).padStart(padded ? 4 : 1, '0'))
    const [high = 0, low = 0] = address.slice(6)
    const tail = dots ? [[high >> 8, high & 255, low >> 8, low & 255].join('.')] : parts.slice(6)
    const all = [...parts.slice(0, 6), ...tail]
    // From `gap` on, as many as are 0.
    let end = gap
    while (end < all.length && Number.parseInt(all[end] ?? '1', 16) === 0 && !all[end]?.includes('.')) end++
    const text = end === gap ? all.join(':') : `${all.slice(0, gap).join(':')}::${all.slice(end).join(':')}`
    return `${capitals ? text.toUpperCase() : text}${zone ? '%eth0' : ''}`
  })
