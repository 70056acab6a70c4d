import { describe, expect, it } from 'vitest'
import { Links } from '../../lib/chat/links.ts'
import { addFile } from '../support/stored.ts'
import { Clock, codeOf, START, Town } from '../support/world.ts'

const [HOUR, DAY] = [3_600_000, 86_400_000]
const [ID, OTHER] = ['019df252-0000-7000-8000-000000000001', '019df252-0000-7000-8000-000000000002']
const KEY = 'a key of this test'

/** What a link is made of. */
function partsOf(link: string): { readonly id: string; readonly ends: string; readonly signature: string } {
  const found = /^\/files\/([\da-f-]{36})\?e=(\d+)&s=([\w-]+)$/.exec(link)
  if (found === null) throw new Error(`no link: ${link}`)
  const [, id = '', ends = '', signature = ''] = found
  return { id, ends, signature }
}

function setUp() {
  const clock = new Clock()
  const links = new Links(KEY, clock.now)
  return { clock, links, ...partsOf(links.make(ID)) }
}

describe('a link to a file', () => {
  it.each([
    ['on the hour', 0, DAY],
    ['right behind it', 1, DAY + HOUR],
    ['in the midst of it', HOUR / 2, DAY + HOUR],
    ['right before the next', HOUR - 1, DAY + HOUR],
  ])('made %s ends on an hour, a day later or more', (_when, behind, end) => {
    const clock = new Clock()
    const hour = Math.floor(START / HOUR) * HOUR
    clock.ms = hour + behind
    const links = new Links(KEY, clock.now)
    const { id, ends, signature } = partsOf(links.make(ID))
    expect([id, Number(ends) * 1000]).toEqual([ID, hour + end])
    expect(Buffer.from(signature, 'base64url')).toHaveLength(32)
    clock.ms = hour + end - 1
    expect(links.isGood(ID, ends, signature)).toBe(true)
    clock.ms = hour + end
    expect(links.isGood(ID, ends, signature)).toBe(false)
  })

  it('is the same for an hour, and another in the next', () => {
    const { clock, links } = setUp()
    clock.ms = Math.ceil(START / HOUR) * HOUR
    const last = links.make(ID)
    clock.ms -= HOUR - 1
    expect(links.make(ID)).toBe(last)
    clock.ms -= 1
    expect(links.make(ID)).not.toBe(last)
  })

  it('is good for its file only, until its end only, with its own signature only', () => {
    const { links, id, ends, signature, clock } = setUp()
    expect(links.isGood(id, ends, signature)).toBe(true)
    expect(links.isGood(OTHER, ends, signature)).toBe(false)
    for (const other of [Number(ends) + 1, Number(ends) + 3600, Number(ends) - 3600]) {
      expect(links.isGood(id, String(other), signature)).toBe(false)
    }
    // Nor is one of another file, of another end, of another key.
    const { signature: foreign } = partsOf(links.make(OTHER))
    expect(links.isGood(id, ends, foreign)).toBe(false)
    expect(new Links(`${KEY}.`, clock.now).isGood(id, ends, signature)).toBe(false)
    expect(new Links(KEY, clock.now).isGood(id, ends, signature)).toBe(true)
    // One bit of it is turned.
    const bytes = Buffer.from(signature, 'base64url')
    for (const at of bytes.keys()) {
      const wrong = Buffer.from(bytes)
      wrong.writeUInt8(bytes.readUInt8(at) ^ 1, at)
      expect(links.isGood(id, ends, wrong.toString('base64url'))).toBe(false)
    }
  })

  it.each(['', '0', '-1', '1e12', '0x6a', ' 1', '99999999999999', 'Infinity', 'NaN', '1.5', '١'])(
    'with the end %j is none',
    (ends) => {
      const { links, id, signature } = setUp()
      expect(links.isGood(id, ends, signature)).toBe(false)
    },
  )

  it.each(['', 'x', 'A'.repeat(42), 'A'.repeat(43), 'A'.repeat(44), '\0', '⚓'.repeat(32), 'x'.repeat(100_000)])(
    'with the signature %j is none',
    (signature) => {
      const { links, id, ends } = setUp()
      expect(links.isGood(id, ends, signature)).toBe(false)
    },
  )

  it('is not good when it is spelled in another way', () => {
    const { links, id, ends, signature } = setUp()
    // The last letter has two bits that belong to no byte.
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = letters[letters.indexOf(signature.slice(-1)) ^ 1]
    const padded = Buffer.from(signature, 'base64url').toString('base64')
    for (const other of [
      `${signature}=`,
      `${signature}!`,
      `!${signature}`,
      `${signature.slice(0, -1)}${last}`,
      padded,
    ]) {
      expect([other, links.isGood(id, ends, other)]).toEqual([other, false])
    }
    expect(links.isGood(id, `0${ends}`, signature)).toBe(false)
  })
})

describe('links of a world', () => {
  it('lead to files that are there, until they end, also in another process', async () => {
    const town = new Town()
    const file = await addFile(town, town.bob, town.pier, 'fog')
    const { id, ends, signature } = partsOf(file.url)
    expect(id).toBe(file.id)
    const find = (world = town.world): string => world.files.byLink(id, ends, signature).name
    expect(find()).toBe('fog.txt')
    expect(codeOf(() => town.world.files.byLink(id, ends, `${signature.slice(1)}A`))).toBe('NOT_FOUND')
    const { world } = town.reopen()
    expect(find(world)).toBe('fog.txt')
    town.clock.ms = START + 2 * DAY
    expect(codeOf(() => find(world))).toBe('NOT_FOUND')
    // A good link to what there is not.
    const gone = partsOf(new Links(KEY, town.clock.now).make(OTHER))
    expect(codeOf(() => world.files.byLink(gone.id, gone.ends, gone.signature))).toBe('NOT_FOUND')
  })
})
