import { describe, expect, it } from 'vitest'
import { Town } from '../support/world.ts'

describe('a user who was looked for', () => {
  it('is found as they are, also when they have changed since', () => {
    const town = new Town()
    const { users } = town.world
    expect(users.find(town.ada)?.bio).toBeNull()
    town.do(() => users.change(town.ada, { bio: 'rings the bell' }))
    expect(users.find(town.ada)?.bio).toBe('rings the bell')
    town.do(() => users.disable(town.ada))
    expect(users.find(town.ada)?.disabled).toBe(1)
  })

  it('is found by a change as that has made them, and by nobody when it was undone', () => {
    const town = new Town()
    const { users } = town.world
    users.find(town.ada)
    const seen: unknown[] = []
    const change = (): never => {
      users.change(town.ada, { bio: 'never said' })
      users.disable(town.ada)
      seen.push(users.find(town.ada))
      throw new Error('undone')
    }
    expect(() => town.do(change)).toThrow('undone')
    expect(seen).toMatchObject([{ bio: 'never said', disabled: 1 }])
    expect(users.find(town.ada)).toMatchObject({ bio: null, disabled: 0 })
  })

  it('is nobody before they are there', async () => {
    const town = new Town()
    const { users } = town.world
    expect(users.find('nobody')).toBeNull()
    const { id } = town.do(() => users.create({ username: 'eve', email: null, passwordHash: null, bot: false }))
    expect(users.find(id)?.username).toBe('eve')
    expect(users.findAll([])).toEqual(new Map())
  })
})
