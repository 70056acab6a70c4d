import { isObject } from '../messages.ts'

/** What the programs of clients that are cut, and of the others, are told. */

export type MembersCommand =
  /** Answered when all are there. */
  | { readonly do: 'enter'; readonly port: number; readonly count: number; readonly resumes: boolean }
  /** All at once; answered when all are back, or after so many seconds. */
  | { readonly do: 'cut'; readonly seconds: number }
  /** How many have a connection. */
  | { readonly do: 'count' }

export type OthersCommand =
  /** The accounts behind `first`, one to a channel. */
  | { readonly do: 'enter'; readonly port: number; readonly first: number; readonly channels: readonly string[] }
  /** From now on, so many messages a second. */
  | { readonly do: 'talk'; readonly rate: number }
  /** How long messages took since they were forgotten last. */
  | { readonly do: 'look'; readonly forget: boolean }
  /** Answered when all that was said was heard. */
  | { readonly do: 'hush' }

export const isMembersCommand = (value: unknown): value is MembersCommand => isObject(value) && 'do' in value
export const isOthersCommand = (value: unknown): value is OthersCommand => isObject(value) && 'do' in value
