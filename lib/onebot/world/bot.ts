import { LRUCache } from 'lru-cache'
import type {
  OneBotEvent,
  OneBotFile,
  OneBotForwardNode,
  OneBotGroup,
  OneBotMember,
  OneBotMessage,
  OneBotNewFile,
  OneBotPlatform,
  OneBotSegment,
  OneBotTarget,
  OneBotUser,
} from '../../../include-types/onebot.ts'
import type { User } from '../../chat/users.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError } from '../failure.ts'
import { Archive } from './archive.ts'
import { Attendance } from './attendance.ts'
import { WorldNotices } from './announcements.ts'
import { WorldContacts } from './contacts.ts'
import { WorldGroupFiles } from './group-files.ts'
import { Groups, type Group } from './groups.ts'
import { WorldMarks } from './marks.ts'
import type { BotMeans } from './means.ts'
import { WorldProfile } from './profile.ts'
import { Moderator } from './moderator.ts'
import { keepFile } from './keeping.ts'
import { findUser, inChannel, toGroup, toMember, toUser } from './reading.ts'
import { asking, changing } from './refusals.ts'
import { answerFriend, answerGroup } from './requests.ts'
import { readForward, Writer } from './writing.ts'

/** What was read lately, as long as nothing is written. */
const MOST_REMEMBERED = 10_000
/** Milliseconds after which it is read again all the same: some of it ends by itself. */
const GOOD = 1000

export interface BotSettings {
  /** Private messages are for friends only. */
  readonly strictFriends: boolean
  /** What links to files begin with. */
  readonly base: () => string
  /** Bytes of all files that it has sent. */
  readonly quota: number
}

/** A bot of the world, as OneBot sees it. */
export class WorldBot implements OneBotPlatform {
  readonly #world: World
  readonly userId: string
  readonly groupsSeen: Groups
  readonly #archive: Archive
  readonly #writer: Writer
  readonly #moderator: Moderator
  readonly #settings: BotSettings
  readonly #attendance: Attendance
  readonly close: () => void
  readonly groupFiles: WorldGroupFiles
  readonly marks: WorldMarks
  readonly notices: WorldNotices
  readonly contacts: WorldContacts
  readonly profile: WorldProfile
  readonly #listeners = new Set<(event: OneBotEvent) => void>()
  readonly #members = new LRUCache<string, OneBotMember>({ max: MOST_REMEMBERED })
  #version = -1
  #readAt = 0

  constructor(world: World, user: User, settings: BotSettings, close: () => void) {
    this.#world = world
    this.userId = user.id
    this.#settings = settings
    this.close = close
    this.groupsSeen = new Groups(world, user.id)
    this.#archive = new Archive(world, user.id, this.groupsSeen, settings.base)
    this.#writer = new Writer(world, user.id, settings.strictFriends)
    this.#moderator = new Moderator(world, user.id)
    const means: BotMeans = {
      bot: user.id,
      groups: this.groupsSeen,
      group: (id) => this.#group(id),
      message: (id) => this.message(id),
      store: (file) => this.store(file),
      find: (id) => this.file(id),
      say: (group, { id, name }) => this.send({ group }, [{ type: 'file', data: { file: name, name, file_id: id } }]),
    }
    this.#attendance = new Attendance(world, user.id)
    this.groupFiles = new WorldGroupFiles(world, means)
    this.marks = new WorldMarks(world, means)
    this.notices = new WorldNotices(world, means)
    this.contacts = new WorldContacts(world, means)
    this.profile = new WorldProfile(world, means, this.#attendance)
  }

  /** What links to files begin with. */
  get base(): string {
    return this.#settings.base()
  }

  tell(event: OneBotEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  listen(listener: (event: OneBotEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  attach(): () => void {
    return this.#attendance.attach()
  }

  isOnline(): boolean {
    return this.#user.disabled === 0
  }

  get #user(): User {
    const user = this.#world.users.find(this.userId)
    if (user === null) throw new Error('The bot is nobody')
    return user
  }

  self(): OneBotUser {
    return toUser(this.#world, this.#user)
  }

  user(id: number): OneBotUser | null {
    const user = this.#world.users.byNum(id)
    if (user === null || user.disabled === 1) return null
    return toUser(this.#world, user, this.#world.remarks.find(this.userId, 'user', user.id))
  }

  friends(): OneBotUser[] {
    const { friends, users, remarks } = this.#world
    const known = [...users.findAll(friends.of(this.userId)).values()]
    return known
      .filter(({ disabled }) => disabled === 0)
      .map((user) => toUser(this.#world, user, remarks.find(this.userId, 'user', user.id)))
  }

  #group(id: number): Group {
    const group = this.groupsSeen.byNumber(id)
    if (group === null) throw new PlatformError('GROUP_NOT_FOUND')
    return group
  }

  #inGroup(group: Group, id: number): User {
    const user = this.#world.users.byNum(id)
    if (user === null || this.#world.access.see(user.id, group.channelId) === null) {
      throw new PlatformError('MEMBER_NOT_FOUND')
    }
    return user
  }

  group(id: number): OneBotGroup {
    return this.#toGroup(this.#group(id))
  }

  groups(): OneBotGroup[] {
    return this.groupsSeen.all.map((group) => this.#toGroup(group))
  }

  #toGroup(group: Group): OneBotGroup {
    const isOpen = this.#world.access.overrides(group.channelId).length === 0
    const count = isOpen ? null : inChannel(this.#world, this.userId, group).length
    return toGroup(this.#world, group, count, this.#world.remarks.find(this.userId, 'channel', group.channelId))
  }

  /** Bots ask for who has written with each message: it is read once, as long as nothing changes. */
  member(groupId: number, userId: number): OneBotMember {
    const { version, now } = this.#world
    if (version !== this.#version || now() - this.#readAt > GOOD) {
      this.#members.clear()
      this.#version = version
      this.#readAt = now()
    }
    const key = `${groupId} ${userId}`
    const known = this.#members.get(key)
    if (known !== undefined) return known
    const group = this.#group(groupId)
    const user = this.#inGroup(group, userId)
    const found = asking('MEMBER_NOT_FOUND', () => this.#world.members.get(this.userId, group.serverId, user.id))
    const member = toMember(this.#world, group, found, this.#world.servers.known(group.serverId).owner_id)
    this.#members.set(key, member)
    return member
  }

  members(id: number): OneBotMember[] {
    const group = this.#group(id)
    const { owner_id } = this.#world.servers.known(group.serverId)
    return inChannel(this.#world, this.userId, group).map((member) => toMember(this.#world, group, member, owner_id))
  }

  message(id: number): OneBotMessage {
    return this.#archive.message(id)
  }

  history(target: OneBotTarget, upTo: number | null, count: number): OneBotMessage[] {
    if ('group' in target) return this.#archive.ofGroup(this.#group(target.group), upTo, count)
    return this.#archive.ofUser(target.user, upTo, count)
  }

  forward(id: string): OneBotForwardNode[] {
    return readForward(this.#world, id, this.base)
  }

  file(name: string): OneBotFile {
    return this.#archive.file(name)
  }

  async store(file: OneBotNewFile): Promise<OneBotFile> {
    return this.#archive.file(await keepFile(this.#world, this.userId, this.#settings.quota, file))
  }

  send(target: OneBotTarget, segments: readonly OneBotSegment[]): Promise<number> {
    return this.#writer.send(this.#placeOf(target), segments)
  }

  sendForward(target: OneBotTarget, nodes: readonly OneBotForwardNode[]) {
    return this.#writer.sendForward(this.#placeOf(target), nodes)
  }

  #placeOf(target: OneBotTarget): Group | number {
    return 'group' in target ? this.#group(target.group) : target.user
  }

  recall(id: number): Promise<void> {
    return this.#writer.recall(id)
  }

  poke(target: OneBotTarget, userId: number): void {
    const { pokes } = this.#world
    if ('group' in target) {
      const group = this.#group(target.group)
      const user = this.#inGroup(group, userId)
      return asking('MEMBER_NOT_FOUND', () => pokes.inChannel(this.userId, group.channelId, user.id))
    }
    const { id } = findUser(this.#world, target.user)
    asking('FRIEND_NOT_FOUND', () => pokes.direct(this.userId, id))
  }

  async like(id: number, times: number): Promise<void> {
    const user = findUser(this.#world, id)
    await changing(
      this.#world,
      'USER_NOT_FOUND',
      () => this.#world.likes.give(this.userId, user.id, times),
      'PERMISSION_DENIED',
    )
  }

  kick(groupId: number, userId: number, block: boolean): Promise<void> {
    const group = this.#group(groupId)
    return this.#moderator.kick(group, this.#inGroup(group, userId), block)
  }

  mute(groupId: number, userId: number, seconds: number): Promise<void> {
    const group = this.#group(groupId)
    return this.#moderator.mute(group, this.#inGroup(group, userId), seconds)
  }

  muteAll(groupId: number, on: boolean): Promise<void> {
    return this.#moderator.muteAll(this.#group(groupId), on)
  }

  setAdmin(groupId: number, userId: number, on: boolean): Promise<void> {
    const group = this.#group(groupId)
    return this.#moderator.setAdmin(group, this.#inGroup(group, userId), on)
  }

  setCard(groupId: number, userId: number, card: string): Promise<void> {
    const group = this.#group(groupId)
    return this.#moderator.setCard(group, this.#inGroup(group, userId), card)
  }

  setTitle(groupId: number, userId: number, title: string, seconds: number): Promise<void> {
    const group = this.#group(groupId)
    return this.#moderator.setTitle(group, this.#inGroup(group, userId), title, seconds)
  }

  renameGroup(groupId: number, name: string): Promise<void> {
    return this.#moderator.rename(this.#group(groupId), name)
  }

  leaveGroup(groupId: number, dissolve: boolean): Promise<void> {
    return this.#moderator.leave(this.#group(groupId), dissolve)
  }

  answerFriend(flag: string, approve: boolean, remark: string): Promise<void> {
    return answerFriend(this.#world, this.userId, flag, approve, remark)
  }

  answerGroup(flag: string, approve: boolean, reason: string): Promise<void> {
    return answerGroup(this.#world, this.userId, flag, approve, reason)
  }
}
