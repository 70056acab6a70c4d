import type { OneBotFile, OneBotMessage, OneBotNewFile } from '../../../include-types/onebot.ts'
import type { Group, Groups } from './groups.ts'

/** What the parts of a bot need of it. */
export interface BotMeans {
  readonly bot: string
  readonly groups: Groups
  group(id: number): Group
  message(id: number): OneBotMessage
  store(file: OneBotNewFile): Promise<OneBotFile>
  find(id: string): OneBotFile
  /** Says that a file is there; resolves when that is done. */
  say(group: number, file: OneBotFile): Promise<number>
}
