/** What the world of a gateway has, and what a load can know of it: raw uWebSockets.js acts as if it had the same. */
export interface WorldSize {
  /** Each is a member of each server. */
  readonly accounts: number
  readonly servers: number
  /** Of text, in each server. */
  readonly channels: number
  /** Channels, over all servers, in which there is something that members have not read. */
  readonly unread: number
}

/** The token of an account, from 0: a bot's own, which does not end. */
export const tokenOf = (account: number): string => account.toString(16).padStart(64, '0')

/** What each message of a load says. */
export const CONTENT = 'a'.repeat(64)
