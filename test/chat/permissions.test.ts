import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ADMINISTRATOR,
  ALL_PERMISSIONS,
  channelPermissions,
  DEFAULT_PERMISSIONS,
  has,
  MANAGE_CHANNELS,
  MANAGE_ROLES,
  type Override,
  SEND_MESSAGES,
  serverPermissions,
  type Standing,
  VIEW_CHANNEL,
} from '../../lib/chat/permissions.ts'

const member = (permissions: readonly number[] = [], more: Partial<Standing> = {}): Standing => ({
  user_id: 'me',
  owner: false,
  silenced: false,
  roles: permissions.map((bits, i) => ({ id: `r${i}`, permissions: bits })),
  ...more,
})
const everyone = (allow: number, deny: number): Override => ({ role_id: null, user_id: null, allow, deny })
const forRole = (role_id: string, allow: number, deny: number): Override => ({ role_id, user_id: null, allow, deny })
const forUser = (user_id: string, allow: number, deny: number): Override => ({ role_id: null, user_id, allow, deny })

describe('permissions', () => {
  it('of a member without roles are those of the specification', () => {
    expect(DEFAULT_PERMISSIONS).toBe(123)
    expect(ALL_PERMISSIONS).toBe(32_767)
    expect(ADMINISTRATOR).toBe(8192)
    expect(serverPermissions(member())).toBe(123)
    expect(channelPermissions(member(), [])).toBe(123)
  })

  it('gateway trap T44: a role with 8192 passes every check in every channel, in spite of any deny', () => {
    const admin = member([8192], { silenced: true })
    const overrides = [everyone(0, 32_767), forRole('r0', 0, 32_767), forUser('me', 0, 32_767)]
    expect(serverPermissions(admin)).toBe(32_767)
    expect(channelPermissions(admin, overrides)).toBe(32_767)
    expect(channelPermissions(member([], { owner: true, silenced: true }), overrides)).toBe(32_767)
  })

  it.each([
    ['everyone', everyone(8192, 0)],
    ['a role', forRole('r0', 8192, 0)],
    ['the user', forUser('me', 8192, 0)],
  ])('gateway trap T45: an override allow:8192 for %s grants nothing', (_who, override) => {
    expect(channelPermissions(member([0]), [override])).toBe(123)
    expect(channelPermissions(member([0]), [{ ...override, allow: 8192 | MANAGE_ROLES }])).toBe(123)
    expect(channelPermissions(member([MANAGE_ROLES]), [{ ...override, allow: 0, deny: MANAGE_ROLES }])).toBe(
      123 | MANAGE_ROLES,
    )
  })

  it('bits of a channel are granted and taken by overrides', () => {
    expect(channelPermissions(member(), [everyone(MANAGE_CHANNELS, 0)])).toBe(123 | MANAGE_CHANNELS)
    expect(channelPermissions(member(), [everyone(0, SEND_MESSAGES)])).toBe(121)
  })

  it('the narrower beats the wider, and among roles what one allows beats what another denies', () => {
    const pilot = member([0, 0])
    const deny = everyone(0, SEND_MESSAGES)
    expect(channelPermissions(pilot, [deny, forRole('r0', SEND_MESSAGES, 0)])).toBe(123)
    expect(channelPermissions(pilot, [forRole('r0', SEND_MESSAGES, 0), deny])).toBe(123)
    expect(channelPermissions(pilot, [forRole('r0', SEND_MESSAGES, 0), forRole('r1', 0, SEND_MESSAGES)])).toBe(123)
    expect(channelPermissions(pilot, [forRole('r1', 0, SEND_MESSAGES), forRole('r0', SEND_MESSAGES, 0)])).toBe(123)
    expect(channelPermissions(pilot, [forUser('me', 0, SEND_MESSAGES), forRole('r0', SEND_MESSAGES, 0)])).toBe(121)
    expect(channelPermissions(pilot, [forUser('me', SEND_MESSAGES, 0), forRole('r0', 0, SEND_MESSAGES), deny])).toBe(
      123,
    )
  })

  it('overrides of others do not count', () => {
    expect(channelPermissions(member([0]), [forUser('you', 0, 255), forRole('r1', 0, 255)])).toBe(123)
  })

  it('who cannot see a channel can do nothing in it', () => {
    expect(channelPermissions(member(), [everyone(MANAGE_CHANNELS, VIEW_CHANNEL)])).toBe(0)
    expect(channelPermissions(member(), [everyone(0, VIEW_CHANNEL), forUser('me', VIEW_CHANNEL, 0)])).toBe(123)
  })

  it('a timeout takes speech, and nothing else', () => {
    expect(channelPermissions(member([], { silenced: true }), [])).toBe(1 + 32 + 64)
    expect(channelPermissions(member([4, 1024], { silenced: true }), [])).toBe(1 + 32 + 64 + 4 + 1024)
    // No override gives it back.
    expect(channelPermissions(member([], { silenced: true }), [forUser('me', SEND_MESSAGES, 0)])).toBe(1 + 32 + 64)
    expect(serverPermissions(member([], { silenced: true }))).toBe(123)
  })

  it('has asks for all bits', () => {
    expect(has(3, 3)).toBe(true)
    expect(has(2, 3)).toBe(false)
    expect(has(0, 0)).toBe(true)
    expect(has(8192, 8192)).toBe(true)
  })
})

/** The specification again, bit by bit, with neither masks nor sums. */
function modelOf(who: Standing, overrides: readonly Override[]): number {
  const isSet = (bits: number, bit: number): boolean => Math.floor(bits / 2 ** bit) % 2 === 1
  const granted = (bit: number): boolean =>
    [0, 1, 3, 4, 5, 6].includes(bit) || who.roles.some(({ permissions }) => isSet(permissions, bit))
  const everything = Array.from({ length: 15 }, (_, bit) => 2 ** bit).reduce((sum, value) => sum + value, 0)
  if (who.owner || granted(13)) return everything
  const layers: ((one: Override) => boolean)[] = [
    (one) => one.role_id === null && one.user_id === null,
    (one) => who.roles.some(({ id }) => id === one.role_id),
    (one) => one.user_id === who.user_id,
  ]
  const may = (bit: number): boolean => {
    let answer = granted(bit)
    if (![0, 1, 2, 3, 4, 5, 6, 7, 10].includes(bit)) return answer
    for (const layer of layers) {
      const those = overrides.filter(layer)
      if (those.some(({ deny }) => isSet(deny, bit))) answer = false
      if (those.some(({ allow }) => isSet(allow, bit))) answer = true
    }
    return answer
  }
  if (!may(0)) return 0
  let sum = 0
  for (let bit = 0; bit < 15; bit++) if (may(bit) && !(who.silenced && [1, 3, 4].includes(bit))) sum += 2 ** bit
  return sum
}

// Few bits at a time, else nearly everybody is an administrator.
const bits = fc.oneof(
  fc
    .subarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14])
    .map((list) => list.reduce((sum, bit) => sum + 2 ** bit, 0)),
  fc.integer({ min: 0, max: 32_767 }),
)
const role = fc.constantFrom('r0', 'r1', 'r2', 'r3')
const override = fc.oneof(
  fc.record({ role_id: fc.constant(null), user_id: fc.constant(null), allow: bits, deny: bits }),
  fc.record({ role_id: role, user_id: fc.constant(null), allow: bits, deny: bits }),
  fc.record({ role_id: fc.constant(null), user_id: fc.constantFrom('me', 'you'), allow: bits, deny: bits }),
)
const standing = fc.record({
  user_id: fc.constant('me'),
  owner: fc.boolean(),
  silenced: fc.boolean(),
  roles: fc.uniqueArray(fc.record({ id: role, permissions: bits }), { selector: ({ id }) => id, maxLength: 4 }),
})

describe('any permissions', () => {
  it('are what an independent model says', () => {
    fc.assert(
      fc.property(standing, fc.array(override, { maxLength: 8 }), (who, overrides) => {
        const half = { ...who, owner: false }
        expect(channelPermissions(half, overrides)).toBe(modelOf(half, overrides))
        expect(channelPermissions(who, overrides)).toBe(modelOf(who, overrides))
        expect(serverPermissions(half)).toBe(modelOf({ ...half, silenced: false }, []))
      }),
      { numRuns: 3000 },
    )
  })

  it('the order of roles and overrides is of no matter', () => {
    fc.assert(
      fc.property(standing, fc.array(override, { maxLength: 8 }), (who, overrides) => {
        const turned = { ...who, roles: who.roles.toReversed() }
        expect(channelPermissions(turned, overrides.toReversed())).toBe(channelPermissions(who, overrides))
      }),
      { numRuns: 500 },
    )
  })
})
