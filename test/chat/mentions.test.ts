import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseMentions } from '../../lib/chat/mentions.ts'
import { VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { Town } from '../support/world.ts'

const mentioned = (town: Town, content: string): string[] => [
  ...town.post(town.ada, town.pier, content).mention_user_ids,
]

describe('who is called', () => {
  it.each([
    ['@ada', ['ada']],
    ['fog, @ada!', ['ada']],
    ['@ada,', ['ada']],
    ["@ada's", ["ada's"]],
    ['@ada...?!"', ['ada']],
    ['@ada_', ['ada_']],
    ['@ada1.', ['ada1']],
    ['@Ada @ADA @ada', ['ada']],
    ['@bob @ada', ['bob', 'ada']],
    ['line\n@ada\t@bob\r\n@cleo\u2003@dora', ['ada', 'bob', 'cleo', 'dora']],
    ['mail@ada', []],
    ['x@ada', []],
    ['(@ada)', []],
    ['@@ada', ['@ada']],
    ['@', []],
    ['@!?', []],
    ['@ ada', []],
    ['', []],
    ['nobody', []],
    ['@adaé', ['adaé']],
    ['@ada漢', ['ada漢']],
    ['@ada🦊', ['ada']],
  ])('gateway trap T49: in %j: %j', (content, names) => {
    expect(parseMentions(content)).toEqual({ everyone: false, names })
  })

  it.each([
    ['@everyone', true],
    ['gateway, @everyone.', true],
    ['@everyone @ada', true],
    ['@everyone_', false],
    ['@everyone1', false],
    ['x@everyone', false],
  ])('gateway trap T49: everyone in %j: %s', (content, everyone) => {
    expect(parseMentions(content).everyone).toBe(everyone)
    expect(parseMentions(content).names).not.toContain('everyone')
  })

  it('everyone is written in lower case, else it is a name', () => {
    expect(parseMentions('@Everyone')).toEqual({ everyone: false, names: ['everyone'] })
  })

  // Was wrong: looks at UTF-16 units, so that letters beyond U+FFFF are taken for punctuation.
  it.each(['@ada𠮷', '@ada𝐚', '@everyone𠮷'])('%s ends with a letter, and names somebody else', (content) => {
    expect(parseMentions(content)).toEqual({ everyone: false, names: [content.slice(1).toLowerCase()] })
  })

  it('any text is read in no time, and names what a slow reading names', () => {
    const piece = fc.constantFrom('@', 'ada', 'everyone', ' ', '\n', '!', '_', '.', 'é', '漢', '7', '\u00A0')
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }).map((list) => list.join('')),
        (content) => {
          const tokens = content.split(/\s+/).map((word) => /^@(.*[\p{L}\p{N}_])/u.exec(word)?.[1] ?? '')
          const names = tokens.filter((word) => word !== '' && word !== 'everyone').map((word) => word.toLowerCase())
          expect(parseMentions(content)).toEqual({
            everyone: tokens.includes('everyone'),
            names: [...new Set(names)],
          })
        },
      ),
      { numRuns: 1000 },
    )
    // What looks from each place to the end would take longer than the test may.
    parseMentions(`@${'!'.repeat(300_000)}`)
    parseMentions('@a!'.repeat(100_000))
    parseMentions(`${' '.repeat(300_000)}@`)
  })
})

describe('who is mentioned', () => {
  it('gateway trap T49: members by their names, in any case; others are not', () => {
    const town = new Town()
    expect(mentioned(town, '@BOB, mail@bob')).toEqual([town.bob])
    expect(mentioned(town, '@cleo @nobody')).toEqual([])
    expect(town.post(town.ada, town.pier, '@everyone.')).toMatchObject({ mention_everyone: 1, mention_user_ids: [] })
  })

  it('their ids in order, each once; oneself, too', () => {
    const town = new Town()
    expect(mentioned(town, '@bob @ada @Bob @ada!')).toEqual([town.ada, town.bob].toSorted())
  })

  it('only those who can see the channel', () => {
    const town = new Town()
    const hide = { roleId: null, userId: town.bob }
    town.do(({ overrides }) => overrides.set(town.ada, town.pier, hide, 0, VIEW_CHANNEL))
    expect(mentioned(town, '@bob @ada')).toEqual([town.ada])
  })

  it('no more than 50, the first ones', () => {
    const town = new Town()
    const names = Array.from({ length: 60 }, (_, i) => `sailor${i}`)
    const ids = names.map((name) => town.user(name))
    for (const id of ids) town.join(id, town.place)
    // Who is no member takes no place among them.
    const content = ['@cleo', '@nobody', ...names.map((name) => `@${name}`)].join(' ')
    expect(mentioned(town, content)).toEqual(ids.slice(0, 50).toSorted())
  })

  it('nobody in direct messages', () => {
    const town = new Town()
    const { direct } = town.do(({ directs }) => directs.open(town.ada, town.bob))
    town.do(({ directs }) => directs.post(town.ada, direct.id, { content: '@bob @everyone' }))
    expect(town.rows('SELECT * FROM message_mentions')).toEqual([])
    expect(town.world.unreads.inDirects(town.bob)).toEqual([{ id: direct.id, unread: 1, mentions: 0 }])
  })

  it('a name that looks like a program’s own is a name', () => {
    const town = new Town()
    const odd = town.user('constructor')
    town.join(odd, town.place)
    expect(mentioned(town, '@constructor @__proto__ @toString')).toEqual([odd])
  })
})
