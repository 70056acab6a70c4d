/* OneBot as the rest of the program sees it: types only. Milliseconds and bytes. */

/** A bot of the world. */
export interface OneBotBot {
  /** As the config names it. */
  readonly handle: string
  /** Its number, where it is made; null: the next. */
  readonly selfId: number | null
  /** Servers that it is in, by names or ids. */
  readonly join: readonly string[]
}

/** What all endpoints have. */
interface Common {
  /** Of all endpoints there are, each has one of its own. */
  readonly name: string
  readonly bot: string
  readonly format: 'array' | 'string'
  /** Whether what the bot says itself is told, too. */
  readonly reportSelf: boolean
  /** Messages also as the platform has them, and each frame in the log. */
  readonly debug: boolean
  /** Between two heartbeats; 0: none. */
  readonly heartbeat: number
  /** Events that it is told of; null: all. As go-cqhttp has it. */
  readonly filter: Readonly<Record<string, unknown>> | null
  /** Where that is from, to be read again; null: it is in the config. */
  readonly filterFile: string | null
  /** Null: calls do not wait. */
  readonly rate: OneBotRate | null
  /** What becomes of segments of types that nobody knows. */
  readonly unknown: 'relay' | 'drop' | 'error'
  /** Null: who is away misses what happens. */
  readonly replay: OneBotReplay | null
}

/** Calls a second, and how many at once. */
export interface OneBotRate {
  readonly frequency: number
  readonly bucket: number
}

/** What is kept for those who are away; the oldest goes first. */
export interface OneBotReplay {
  readonly events: number
  readonly bytes: number
  readonly age: number
}

/** One that clients connect to: any of these at the same time. */
export interface OneBotServer extends Common {
  readonly kind: 'server'
  readonly webSockets: boolean
  readonly http: boolean
  /** `/_events`; and whether heartbeats are told there. */
  readonly sse: boolean
  readonly streamsBeat: boolean
  readonly token: string | null
  /** Without `token` one is made, and kept. */
  readonly generatesToken: boolean
  /** How a WebSocket with a wrong token ends: told in a frame, or not opened at all. */
  readonly wsAuthFailure: 'frame' | 'http'
  readonly cors: boolean
  readonly origins: readonly string[]
}

/** One that connects to a client's server. */
export interface OneBotLink extends Common {
  readonly kind: 'link'
  readonly url: string
  readonly token: string | null
  readonly role: 'Universal' | 'API' | 'Event'
  readonly authScheme: 'Bearer' | 'Token'
  /** Between two attempts. */
  readonly reconnect: number
  /** Where waits grow: the longest; null: they do not. */
  readonly reconnectMax: number | null
  readonly handshakeTimeout: number
  /** Between two pings, and how long an answer may take. */
  readonly pingInterval: number
  readonly pingTimeout: number
  readonly verifyCertificate: boolean
}

/** One that events are posted to. */
export interface OneBotWebhook extends Common {
  readonly kind: 'webhook'
  readonly url: string
  /** What signs bodies; null: nothing does. */
  readonly secret: string | null
  /** Sent as `Authorization: Bearer …`; null: none is. */
  readonly accessToken: string | null
  /** 0: any time. */
  readonly timeout: number
  readonly retries: number
  readonly retryInterval: number
  /** Events that wait: the oldest go first. */
  readonly queue: number
  readonly verifyCertificate: boolean
}

export type OneBotEndpoint = OneBotServer | OneBotLink | OneBotWebhook

/** What bots send beside text. */
export interface OneBotMedia {
  /** Whose files clients may send. */
  readonly folders: readonly string[]
  /** Networks that may be fetched from though they are not of the internet. */
  readonly allow: readonly string[]
  /** Of one file. */
  readonly maxBytes: number
  /** To fetch one. */
  readonly timeout: number
  /** Of all files of one bot. */
  readonly quota: number
  /** What they are fetched through; null: nothing. */
  readonly proxy: string | null
}

/** A program, and how much it may say. */
export interface OneBotSpeech {
  readonly command: readonly string[]
  readonly timeout: number
  /** Characters of a text. */
  readonly maxText: number
  readonly maxBytes: number
}

/** What messages come with, for those who want it, beside what is in them. */
export interface OneBotExtras {
  /** NapCat's `parseMultMsg`: bundles come with what is in them. */
  readonly bundles: boolean
  /** go-cqhttp's `extra-reply-data`: replies come with what they answer. */
  readonly replies: boolean
  /** go-cqhttp's `remove-reply-at`: whom a reply answers is not called right behind it, too. */
  readonly withoutReplyAt: boolean
}

export interface OneBotSettings {
  readonly bots: readonly OneBotBot[]
  /** A module whose default export makes platforms in place of the world; null: the world. */
  readonly platform: string | null
  readonly platformOptions: Readonly<Record<string, unknown>>
  readonly media: OneBotMedia
  /** A program that speaks; null: there is none. */
  readonly speech: OneBotSpeech | null
  readonly strictFriends: boolean
  /** Files that are asked for come with their bytes. */
  readonly inlinesFiles: boolean
  readonly extras: OneBotExtras
  /** What links to files begin with; null: where `web` listens first. */
  readonly publicUrl: string | null
}
