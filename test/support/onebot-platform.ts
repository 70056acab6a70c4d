import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  OneBotEvent,
  OneBotFile,
  OneBotForwardNode,
  OneBotGroup,
  OneBotMember,
  OneBotMessage,
  OneBotPlatform,
  OneBotSegment,
  OneBotTarget,
  OneBotUser,
} from '../../include-types/onebot.ts'
import type { OneBotContacts, OneBotMarks, OneBotProfile } from '../../include-types/onebot-parts.ts'
import type { Call } from '../../lib/onebot/actions/action.ts'
import { systemClock } from '../../lib/engine/clock.ts'
import { PlatformError } from '../../lib/onebot/failure.ts'
import { toBlocks } from '../../lib/onebot/media/addresses.ts'
import { systemResolve } from '../../lib/onebot/media/fetch.ts'
import type { SourceOptions } from '../../lib/onebot/media/source.ts'
import { Spool } from '../../lib/onebot/media/spool.ts'
import { Uploads } from '../../lib/onebot/media/uploads.ts'
import { Turns } from '../../lib/onebot/turns.ts'
import type { OneBotExtras } from '../../lib/web/config/onebot-settings.ts'

/*
 * A platform in memory, for tests of what is above platforms: robo (20001) and mira (30001) are in the group 40001. It notes what
 * was done, in order.
 */

/** Files of the internet only. */
export const SOURCES: SourceOptions = {
  folders: [],
  maxBytes: 100_000_000,
  timeout: 10_000,
  allowed: toBlocks([]),
  proxy: null,
  resolve: systemResolve,
  speech: null,
}

/** Messages come as they are. */
export const NO_EXTRAS: OneBotExtras = { bundles: false, replies: false, withoutReplyAt: false }

export const SPOOL_FOLDER = mkdtempSync(join(tmpdir(), 'fiberws-spool-'))
const SPOOL = new Spool(SPOOL_FOLDER, systemClock)
/** Nobody is there for parts of an answer. */
export const noParts = (): Promise<boolean> => Promise.resolve(false)

const person = (id: number, nickname: string): OneBotUser => ({
  id,
  nickname,
  bio: '',
  isBot: id === 20_001,
  online: true,
  registeredAt: 1_700_000_000,
  remark: '',
})

const ROBO = person(20_001, 'robo')
const MIRA = person(30_001, 'mira')
const ROOM: OneBotGroup = {
  id: 40_001,
  name: 'Tea room',
  memberCount: 2,
  maxMemberCount: 100,
  createdAt: 1_700_000_000,
  shut: false,
  remark: '',
}

export class FakePlatform implements OneBotPlatform {
  /** What was done, with what. */
  readonly done: (readonly [string, ...unknown[]])[] = []
  readonly #messages = new Map<number, OneBotMessage>()
  readonly #listeners = new Set<(event: OneBotEvent) => void>()
  #last = 100

  /** Keeps a message that can be asked for; its id. */
  keep({ text, from = ROBO.id }: { readonly text: string; readonly from?: number }): number {
    const id = ++this.#last
    this.#messages.set(id, {
      id,
      seq: id,
      time: 1_770_000_000,
      group: { id: ROOM.id, name: ROOM.name },
      peer: null,
      subType: 'normal',
      sender: { id: from, nickname: from === MIRA.id ? MIRA.nickname : ROBO.nickname, card: '', role: 'member' },
      segments: [{ type: 'text', data: { text } }],
    })
    return id
  }

  #note(name: string, ...args: readonly unknown[]): void {
    this.done.push([name, ...args])
  }

  tell(event: OneBotEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  self(): OneBotUser {
    return ROBO
  }

  isOnline(): boolean {
    return true
  }

  listen(listener: (event: OneBotEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  attach(): () => void {
    return () => {}
  }

  user(id: number): OneBotUser | null {
    return [ROBO, MIRA].find((one) => one.id === id) ?? null
  }

  friends(): readonly OneBotUser[] {
    return [MIRA]
  }

  group(id: number): OneBotGroup {
    if (id !== ROOM.id) throw new PlatformError('GROUP_NOT_FOUND')
    return ROOM
  }

  groups(): readonly OneBotGroup[] {
    return [ROOM]
  }

  history(): readonly OneBotMessage[] {
    return []
  }

  member(): OneBotMember {
    throw new PlatformError('MEMBER_NOT_FOUND')
  }

  members(): readonly OneBotMember[] {
    return []
  }

  message(id: number): OneBotMessage | Promise<OneBotMessage> {
    const message = this.#messages.get(id)
    if (message === undefined) throw new PlatformError('MESSAGE_NOT_FOUND')
    return message
  }

  forward(): readonly OneBotForwardNode[] {
    return []
  }

  file(): OneBotFile {
    throw new PlatformError('FILE_NOT_FOUND')
  }

  send(target: OneBotTarget, segments: readonly OneBotSegment[]): number | Promise<number> {
    this.#note('send', target, segments)
    return ++this.#last
  }

  sendForward(target: OneBotTarget, nodes: readonly OneBotForwardNode[]) {
    this.#note('sendForward', target, nodes)
    return { id: ++this.#last, forward: 'f-1' }
  }

  recall(...args: readonly unknown[]): void | Promise<void> {
    this.#note('recall', ...args)
  }

  poke(...args: readonly unknown[]): void {
    this.#note('poke', ...args)
  }

  like(...args: readonly unknown[]): void {
    this.#note('like', ...args)
  }

  kick(...args: readonly unknown[]): void {
    this.#note('kick', ...args)
  }

  mute(...args: readonly unknown[]): void {
    this.#note('mute', ...args)
  }

  muteAll(...args: readonly unknown[]): void {
    this.#note('muteAll', ...args)
  }

  setAdmin(...args: readonly unknown[]): void {
    this.#note('setAdmin', ...args)
  }

  setCard(...args: readonly unknown[]): void {
    this.#note('setCard', ...args)
  }

  setTitle(...args: readonly unknown[]): void {
    this.#note('setTitle', ...args)
  }

  renameGroup(...args: readonly unknown[]): void {
    this.#note('renameGroup', ...args)
  }

  leaveGroup(...args: readonly unknown[]): void {
    this.#note('leaveGroup', ...args)
  }

  answerFriend(...args: readonly unknown[]): void {
    this.#note('answerFriend', ...args)
  }

  answerGroup(...args: readonly unknown[]): void {
    this.#note('answerGroup', ...args)
  }
}

/** One with parts that platforms need not have. */
export class WholePlatform extends FakePlatform {
  readonly #does =
    (name: string) =>
    (...args: readonly unknown[]): void =>
      void this.done.push([name, ...args])
  readonly marks: OneBotMarks = {
    pinned: () => [],
    pin: this.#does('pin'),
    react: this.#does('react'),
    reactors: () => [],
    readUpTo: this.#does('readUpTo'),
    readAll: this.#does('readAll'),
  }
  readonly contacts: OneBotContacts = {
    removeFriend: this.#does('removeFriend'),
    setRemark: this.#does('setRemark'),
    recent: () => [],
    requests: () => [],
    type: this.#does('type'),
    likes: () => ({ total: 0, today: 0, users: [] }),
  }
  readonly profile: OneBotProfile = {
    set: this.#does('setProfile'),
    setAvatar: this.#does('setAvatar'),
    setStatus: this.#does('setStatus'),
    setWords: this.#does('setWords'),
    setGroupImage: this.#does('setGroupImage'),
  }
}

/** What an action is run with on such a platform. */
export const callOn = (platform: FakePlatform, more: Partial<Call> = {}): Call => ({
  platform,
  format: 'array',
  unknown: 'relay',
  status: { packetsReceived: 1, packetsSent: 2, messagesReceived: 3, messagesSent: 4, disconnects: 5, packetsLost: 6 },
  refilter: () => {},
  media: SOURCES,
  turns: new Turns(),
  inlines: false,
  extras: NO_EXTRAS,
  spool: SPOOL,
  uploads: new Uploads(SPOOL, systemClock, SOURCES.maxBytes),
  ...more,
})
