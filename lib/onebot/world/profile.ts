import type { OneBotNewFile } from '../../../include-types/onebot.ts'
import type { OneBotProfile, OneBotStatus } from '../../../include-types/onebot-parts.ts'
import type { Content } from '../../chat/media.ts'
import type { User } from '../../chat/users.ts'
import type { World } from '../../chat/world.ts'
import { PlatformError } from '../failure.ts'
import type { Attendance } from './attendance.ts'
import type { BotMeans } from './means.ts'
import { changing, toReason } from './refusals.ts'

/** UTF-16 units, as people may write of themselves. */
const MAX_BIO = 500
const MAX_WORDS = 128

/** What a bot wants to be, wherever it is. */
const STICKY: Readonly<Record<OneBotStatus, User['status_sticky']>> = {
  online: null,
  away: null,
  busy: 'dnd',
  invisible: 'offline',
}

/** How a bot appears in the world. */
export class WorldProfile implements OneBotProfile {
  readonly #world: World
  readonly #means: BotMeans
  readonly #attendance: Attendance

  constructor(world: World, means: BotMeans, attendance: Attendance) {
    this.#world = world
    this.#means = means
    this.#attendance = attendance
  }

  set({ nickname, bio }: { readonly nickname?: string; readonly bio?: string }): Promise<void> {
    const { bots, users } = this.#world
    const { bot } = this.#means
    checkLength('what it says of itself', bio, MAX_BIO)
    return this.#change(() => {
      if (nickname !== undefined && nickname !== users.find(bot)?.username) bots.rename(bot, nickname)
      if (bio !== undefined) users.change(bot, { bio: bio === '' ? null : bio })
    })
  }

  setAvatar({ bytes }: OneBotNewFile): Promise<void> {
    return this.#keep(bytes, (content) => this.#world.portraits.setOfUser(this.#means.bot, content))
  }

  setGroupImage(id: number, { bytes }: OneBotNewFile): Promise<void> {
    const { channelId } = this.#means.group(id)
    return this.#keep(bytes, (content) => this.#world.portraits.setOfChannel(this.#means.bot, channelId, content))
  }

  async setStatus(status: OneBotStatus): Promise<void> {
    await this.#change(() => this.#world.users.change(this.#means.bot, { status_sticky: STICKY[status] }))
    this.#attendance.declare(status === 'away' ? 'away' : 'online')
  }

  setWords(words: string): Promise<void> {
    checkLength('what is said under a name', words, MAX_WORDS)
    return this.#change(() =>
      this.#world.users.change(this.#means.bot, { custom_status: words.trim() === '' ? null : words }),
    )
  }

  async #keep(bytes: OneBotNewFile['bytes'], change: (content: Content) => void): Promise<void> {
    try {
      await this.#world.files.keep(bytes, change)
    } catch (error) {
      throw toReason(error, 'GROUP_NOT_FOUND', 'LOAD_FILE_ERROR')
    }
  }

  async #change(change: () => unknown): Promise<void> {
    await changing(this.#world, 'USER_NOT_FOUND', change)
  }
}

function checkLength(what: string, text: string | undefined, most: number): void {
  if (text !== undefined && text.length > most) {
    throw new PlatformError('SEND_MSG_API_ERROR', `${what} has ${most} characters at most`)
  }
}
