/** What the programs of a soak say to each other, over IPC and on argv. */

/** What was counted or measured, by name. */
export type Figures = Readonly<Record<string, number>>

export type EngineName = 'uws' | 'node'

export interface ServerConfig {
  readonly engine: EngineName
  /** `web.limits` of the host; may name keys that this version does not know, which is a warning. */
  readonly limits: Readonly<Record<string, string | number>>
  /** Milliseconds that the handler of '/slow' takes for a message. */
  readonly slow: number
}

/** Messages to everybody on a topic, at times of their own. */
export interface Publishing {
  readonly topic: string
  /** Bytes of a message. */
  readonly size: number
  /** Milliseconds from one to the next. */
  readonly every: number
  readonly seconds: number
}

export type ServerCommand =
  /** RSS after collections. */
  | { readonly do: 'memory' }
  /** Peaks are those since then. */
  | { readonly do: 'watch' }
  | { readonly do: 'peak' }
  | { readonly do: 'counters' }
  /** Answered with the counters when there is no connection left. */
  | { readonly do: 'settled' }
  | ({ readonly do: 'publish' } & Publishing)
  /** `webStopHost`, and then nothing that keeps the process. */
  | { readonly do: 'stop' }

export interface Opening {
  readonly port: number
  readonly path: string
  readonly count: number
  /** Those that do not read stop behind the answer to their handshake. */
  readonly reads: boolean
}

/** One client at a time that sends as fast as it can, and connects again when it was closed. */
export interface Flood {
  readonly port: number
  readonly path: string
  /** To be sent in all. */
  readonly bytes: number
  /** Bytes of a message. */
  readonly size: number
  readonly seconds: number
}

export type PeersCommand =
  | ({ readonly do: 'open' } & Opening)
  /** Forgets what has arrived. */
  | { readonly do: 'reset' }
  /** Answered when each reader has so many messages, with how long they took. */
  | { readonly do: 'arrived'; readonly count: number }
  | ({ readonly do: 'flood' } & Flood)
  /** Answered when the server has closed all readers, or after so many seconds; `window` is milliseconds. */
  | { readonly do: 'closes'; readonly seconds: number; readonly window: number }
  | { readonly do: 'leave' }

export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

export const isFigures = (value: unknown): value is Figures =>
  isObject(value) && Object.values(value).every((one) => typeof one === 'number')

export const isServerConfig = (value: unknown): value is ServerConfig =>
  isObject(value) && 'engine' in value && 'limits' in value && 'slow' in value

export const isServerCommand = (value: unknown): value is ServerCommand => isObject(value) && 'do' in value
export const isPeersCommand = (value: unknown): value is PeersCommand => isObject(value) && 'do' in value

/** A figure that may not be there: what has never happened was not counted. */
export const of = (figures: Figures, name: string): number => figures[name] ?? 0
