import { describe, expect, it } from 'vitest'
import { Refusal } from '../../lib/chat/refusal.ts'
import { Passwords } from '../../lib/gateway/passwords.ts'

const cheap = { N: 1024, r: 8, p: 1 }

describe('passwords', () => {
  it('are hashed at the cost of the specification, with a salt of their own', async () => {
    const passwords = new Passwords()
    const [one, other] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')])
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(one).not.toBe(other)
    expect(await passwords.matches('correct horse', one)).toBe(true)
    expect(await passwords.matches('correct horsf', one)).toBe(false)
    expect(passwords.isOutdated(one)).toBe(false)
  })

  it('that were hashed at another cost match, and are known for it', async () => {
    const before = await new Passwords(cheap).hash('correct horse')
    const passwords = new Passwords({ ...cheap, p: 2 })
    expect(await passwords.matches('correct horse', before)).toBe(true)
    expect(await passwords.matches('wrong horse', before)).toBe(false)
    expect(passwords.isOutdated(before)).toBe(true)
  })

  it('match nothing where there is no hash, nor one that would fit the dummy', async () => {
    const passwords = new Passwords(cheap)
    expect(await passwords.matches('', null)).toBe(false)
    expect(await passwords.matches('anything', null)).toBe(false)
  })

  it('a hash that is none of ours is an error, not a match', async () => {
    await expect(new Passwords(cheap).matches('x', '$argon2id$x')).rejects.toThrow('not one of ours')
  })

  it('are refused when too many wait, and all that waited are hashed', async () => {
    const passwords = new Passwords(cheap)
    const results = await Promise.allSettled(Array.from({ length: 80 }, () => passwords.hash('x')))
    const refused = results.filter(({ status }) => status === 'rejected')
    // Four at once, 64 behind them.
    expect(refused.length).toBe(80 - 4 - 64)
    for (const one of refused) expect(one.status === 'rejected' && one.reason instanceof Refusal).toBe(true)
    expect(await passwords.hash('x')).toMatch(/^\$scrypt/)
  })
})
