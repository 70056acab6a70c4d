import { describe, expect, it } from 'vitest'
import { MANAGE_MESSAGES, SEND_MESSAGES, VIEW_CHANNEL } from '../../lib/chat/permissions.ts'
import { codeOf, START, Town } from '../support/world.ts'

const NOWHERE = '019df252-0000-7000-8000-000000000000'

/** Ada's channel with a message. */
function setUp() {
  const town = new Town()
  const { id } = town.post(town.ada, town.pier)
  town.told()
  const pin = (who: string, message = id, channel = town.pier): void =>
    town.do(({ messages }) => messages.pin(who, channel, message))
  const unpin = (who: string, message = id, channel = town.pier): void =>
    town.do(({ messages }) => messages.unpin(who, channel, message))
  const pinned = (channel = town.pier): string[] =>
    town.world.messages.pinned(town.ada, channel).map((message) => message.id)
  const override = (allow: number, deny: number): void =>
    void town.do(({ overrides }) => overrides.set(town.ada, town.pier, { roleId: null, userId: town.bob }, allow, deny))
  return { town, id, pin, unpin, pinned, override }
}

describe('a pin', () => {
  it('is told of, and shows in the message, wherever it is read', () => {
    const { town, id, pin, unpin } = setUp()
    const { messages } = town.world
    const before = messages.get(town.bob, town.pier, id)
    town.clock.ms += 1000
    pin(town.ada)
    const { num, author_id: authorId } = before
    const place = { serverId: town.place, channelId: town.pier, messageId: id, num, authorId, by: town.ada }
    expect(town.told()).toEqual([{ type: 'message.pinned', ...place }])
    const at = new Date(START + 1000).toISOString()
    const after = { ...before, pinned: 1, pinned_by: town.ada, pinned_at: at }
    expect(messages.get(town.bob, town.pier, id)).toEqual(after)
    expect(messages.list(town.bob, town.pier, { before: null, after: null, limit: 5 })).toEqual([after])
    expect(messages.pinned(town.bob, town.pier)).toEqual([after])
    unpin(town.ada)
    expect(town.told()).toEqual([{ type: 'message.unpinned', ...place }])
    expect(messages.get(town.bob, town.pier, id)).toEqual(before)
    expect(messages.pinned(town.bob, town.pier)).toEqual([])
  })

  it('gateway trap T36: again, by whomever, changes nothing, and tells nobody', () => {
    const { town, id, pin } = setUp()
    town.role(town.ada, town.place, [town.bob], MANAGE_MESSAGES)
    pin(town.bob)
    const before = town.world.messages.get(town.bob, town.pier, id)
    town.told()
    town.clock.ms += 1000
    for (const who of [town.bob, town.ada]) pin(who)
    expect(town.told()).toEqual([])
    expect(town.world.messages.get(town.bob, town.pier, id)).toEqual(before)
  })

  it('that is not there cannot be taken away', () => {
    const { town, pin, unpin } = setUp()
    expect(codeOf(() => unpin(town.ada))).toBe('NOT_FOUND')
    pin(town.ada)
    unpin(town.ada)
    town.told()
    expect(codeOf(() => unpin(town.ada))).toBe('NOT_FOUND')
    expect(town.told()).toEqual([])
  })

  it('stays with an edit, and counts as none', () => {
    const { town, id, pin } = setUp()
    pin(town.ada)
    expect(town.world.messages.get(town.bob, town.pier, id).edited_at).toBeNull()
    const edited = town.do(({ messages }) => messages.edit(town.ada, id, 'fog at seven'))
    expect(edited).toMatchObject({ pinned: 1, pinned_by: town.ada })
  })
})

describe('pinned messages', () => {
  it('are those of one channel, the newest pin first, whatever their age', () => {
    const { town, id, pin, unpin, pinned } = setUp()
    const quay = town.channel(town.ada, town.place, 'quay')
    const [second, third] = [town.post(town.ada, town.pier).id, town.post(town.bob, town.pier).id]
    const elsewhere = town.post(town.ada, quay).id
    for (const message of [second, id, third]) {
      town.clock.ms += 1
      pin(town.ada, message)
    }
    pin(town.ada, elsewhere, quay)
    expect([pinned(), pinned(quay)]).toEqual([[third, id, second], [elsewhere]])
    // One that is pinned anew comes first.
    town.clock.ms += 1
    unpin(town.ada, second)
    pin(town.ada, second)
    expect(pinned()).toEqual([second, third, id])
  })

  it('are in the order of their pins also within a millisecond', () => {
    const { town, id, pin, pinned } = setUp()
    const [second, third] = [town.post(town.ada, town.pier).id, town.post(town.ada, town.pier).id]
    for (const message of [third, id, second]) pin(town.ada, message)
    expect(pinned()).toEqual([second, id, third])
  })

  it('are 250 of a channel at most', () => {
    const { town, id, pin, unpin, pinned } = setUp()
    const quay = town.channel(town.ada, town.place, 'quay')
    const ids = Array.from({ length: 250 }, () => town.post(town.ada, town.pier).id)
    const [first = '', second = ''] = ids
    for (const message of ids.slice(1)) pin(town.ada, message)
    pin(town.ada, first)
    town.told()
    expect(codeOf(() => pin(town.ada))).toBe('LIMIT')
    expect(codeOf(() => pin(town.bob))).toBe('FORBIDDEN')
    expect(codeOf(() => pin(town.ada, NOWHERE))).toBe('NOT_FOUND')
    // No change is no pin more.
    pin(town.ada, first)
    expect(town.told()).toEqual([])
    expect(pinned()).toHaveLength(250)
    pin(town.ada, town.post(town.ada, quay).id, quay)
    // One that goes makes room, and so does one that is deleted.
    unpin(town.ada, first)
    pin(town.ada)
    expect(codeOf(() => pin(town.ada, first))).toBe('LIMIT')
    town.do(({ messages }) => messages.remove(town.ada, second))
    pin(town.ada, first)
    expect(pinned()).toHaveLength(250)
    expect(pinned()).toContain(id)
  })

  it('are seen by whoever sees the channel', () => {
    const { town, pin, override } = setUp()
    pin(town.ada)
    expect(town.world.messages.pinned(town.bob, town.pier)).toHaveLength(1)
    override(0, VIEW_CHANNEL)
    for (const who of [town.bob, town.cleo]) {
      expect(codeOf(() => town.world.messages.pinned(who, town.pier))).toBe('NOT_FOUND')
    }
    expect(codeOf(() => town.world.messages.pinned(town.ada, NOWHERE))).toBe('NOT_FOUND')
  })
})

describe('who may pin', () => {
  it('is whoever has MANAGE_MESSAGES there, silenced or not', () => {
    const { town, id, pin, unpin, override } = setUp()
    const own = town.post(town.bob, town.pier).id
    for (const message of [id, own]) {
      expect(codeOf(() => pin(town.bob, message))).toBe('FORBIDDEN')
      // Of what is not pinned, too.
      expect(codeOf(() => unpin(town.bob, message))).toBe('FORBIDDEN')
    }
    override(MANAGE_MESSAGES, SEND_MESSAGES)
    pin(town.bob)
    town.silence(town.place, town.bob, START + 60_000)
    unpin(town.bob)
    pin(town.bob)
    override(0, MANAGE_MESSAGES)
    expect(codeOf(() => unpin(town.bob))).toBe('FORBIDDEN')
    override(MANAGE_MESSAGES, VIEW_CHANNEL)
    expect(codeOf(() => unpin(town.bob))).toBe('NOT_FOUND')
  })

  it('finds only what is there', () => {
    const { town, id, pin, unpin } = setUp()
    const quay = town.channel(town.ada, town.place, 'quay')
    const gone = town.post(town.ada, town.pier).id
    town.do(({ messages }) => messages.remove(town.ada, gone))
    town.told()
    for (const [who, message, channel] of [
      [town.ada, id, quay],
      [town.ada, id, NOWHERE],
      [town.ada, NOWHERE, town.pier],
      [town.ada, gone, town.pier],
      // Not FORBIDDEN, which would tell that it was there.
      [town.bob, gone, town.pier],
      [town.cleo, id, town.pier],
    ] as const) {
      expect(codeOf(() => pin(who, message, channel))).toBe('NOT_FOUND')
      expect(codeOf(() => unpin(who, message, channel))).toBe('NOT_FOUND')
    }
    expect(town.told()).toEqual([])
  })
})

describe('what is deleted', () => {
  it('gateway trap T43: is pinned no more, nor is its thread, and nobody is told of that', () => {
    const { town, id, pin, unpin, pinned } = setUp()
    const root = town.post(town.ada, town.pier)
    const reply = town.reply(root, town.bob)
    for (const message of [id, root.id, reply]) pin(town.ada, message)
    expect(pinned()).toHaveLength(3)
    town.told()
    town.do(({ messages }) => messages.remove(town.ada, root.id))
    expect(town.told().map(({ type }) => type)).toEqual(['message.deleted'])
    expect(pinned()).toEqual([id])
    for (const message of [root.id, reply]) {
      const none = { pinned: 0, pinned_by: null, pinned_at: null, content: '', deleted: 1 }
      expect(town.world.messages.get(town.bob, town.pier, message)).toMatchObject(none)
      expect(codeOf(() => unpin(town.ada, message))).toBe('NOT_FOUND')
    }
  })
})
