import type {
  OneBotEvent,
  OneBotForwardNode,
  OneBotGroup,
  OneBotMember,
  OneBotMessage,
  OneBotPlatform,
  OneBotSegment,
  OneBotTarget,
  OneBotUser,
} from '../../include-types/onebot.ts'

/** Why a program's own platform does not do something. */
export class Unwilling extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** What was asked of a platform: the method, and its arguments. */
export type Asked = readonly [method: string, ...args: unknown[]]

/**
 * A platform without a world: it knows user 10001, group 10001, and message 1, notes what it is asked, and does nothing. A method whose
 * name is in `refuses` throws.
 */
export class StubPlatform implements OneBotPlatform {
  readonly asked: Asked[] = []
  readonly listeners = new Set<(event: OneBotEvent) => void>()
  readonly refuses = new Map<string, Error>()
  attached = 0
  #messages = 1

  #note(method: string, ...args: unknown[]): void {
    this.asked.push([method, ...args])
    const error = this.refuses.get(method)
    if (error !== undefined) throw error
  }

  tell(event: OneBotEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  self(): OneBotUser {
    return this.#user(20_001, 'robo')
  }

  #user(id: number, nickname: string): OneBotUser {
    return { id, nickname, bio: '', isBot: false, online: true, registeredAt: 1_770_000_000, remark: '' }
  }

  isOnline(): boolean {
    return true
  }

  listen(listener: (event: OneBotEvent) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  attach(): () => void {
    this.attached++
    return () => void this.attached--
  }

  user(id: number): OneBotUser | null {
    this.#note('user', id)
    return id === 10_001 ? this.#user(id, 'ada') : null
  }

  friends(): OneBotUser[] {
    this.#note('friends')
    return [this.#user(10_001, 'ada')]
  }

  group(id: number): OneBotGroup {
    this.#note('group', id)
    if (id !== 10_001) throw new Unwilling('GROUP_NOT_FOUND')
    return { id, name: 'general', memberCount: 2, maxMemberCount: 9, createdAt: 1, shut: false, remark: '' }
  }

  groups(): OneBotGroup[] {
    return [this.group(10_001)]
  }

  member(group: number, user: number): OneBotMember {
    this.#note('member', group, user)
    if (group !== 10_001 || user !== 10_001) throw new Unwilling('MEMBER_NOT_FOUND')
    return {
      groupId: group,
      userId: user,
      nickname: 'ada',
      card: '',
      role: 'owner',
      title: '',
      titleExpiresAt: 0,
      joinedAt: 1,
      lastSentAt: 0,
      mutedUntil: 0,
      isBot: false,
    }
  }

  members(group: number): OneBotMember[] {
    return [this.member(group, 10_001)]
  }

  message(id: number): OneBotMessage {
    this.#note('message', id)
    if (id !== 1) throw new Unwilling('MESSAGE_NOT_FOUND')
    return {
      id,
      seq: 1,
      time: 1_770_000_000,
      group: { id: 10_001, name: 'general' },
      peer: null,
      subType: 'normal',
      sender: { id: 10_001, nickname: 'ada', role: 'owner' },
      segments: [{ type: 'text', data: { text: 'tea' } }],
    }
  }

  history(target: OneBotTarget, upTo: number | null, count: number): OneBotMessage[] {
    this.#note('history', target, upTo, count)
    return []
  }

  forward(id: string): OneBotForwardNode[] {
    this.#note('forward', id)
    return []
  }

  file(name: string): never {
    this.#note('file', name)
    throw new Unwilling('FILE_NOT_FOUND')
  }

  async send(target: OneBotTarget, segments: readonly OneBotSegment[]): Promise<number> {
    this.#note('send', target, segments)
    await Promise.resolve()
    return ++this.#messages
  }

  async sendForward(target: OneBotTarget, nodes: readonly OneBotForwardNode[]) {
    this.#note('sendForward', target, nodes)
    await Promise.resolve()
    return { id: ++this.#messages, forward: 'bundle' }
  }

  recall(id: number): void {
    this.#note('recall', id)
  }

  poke(target: OneBotTarget, user: number): void {
    this.#note('poke', target, user)
  }

  like(user: number, times: number): void {
    this.#note('like', user, times)
  }

  kick(group: number, user: number, block: boolean): void {
    this.#note('kick', group, user, block)
  }

  mute(group: number, user: number, seconds: number): void {
    this.#note('mute', group, user, seconds)
  }

  muteAll(group: number, on: boolean): void {
    this.#note('muteAll', group, on)
  }

  setAdmin(group: number, user: number, on: boolean): void {
    this.#note('setAdmin', group, user, on)
  }

  setCard(group: number, user: number, card: string): void {
    this.#note('setCard', group, user, card)
  }

  setTitle(group: number, user: number, title: string, seconds: number): void {
    this.#note('setTitle', group, user, title, seconds)
  }

  renameGroup(group: number, name: string): void {
    this.#note('renameGroup', group, name)
  }

  leaveGroup(group: number, dissolve: boolean): void {
    this.#note('leaveGroup', group, dissolve)
  }

  answerFriend(flag: string, approve: boolean, remark: string): void {
    this.#note('answerFriend', flag, approve, remark)
  }

  answerGroup(flag: string, approve: boolean, reason: string): void {
    this.#note('answerGroup', flag, approve, reason)
  }
}
