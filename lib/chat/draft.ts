/** What somebody says. */
export interface MessageDraft {
  readonly content: string
  readonly replyTo?: string | null
  /** Of the author, for the channel; with one of them it needs no content. */
  readonly files?: readonly string[]
  /** How many it may have: of messages that hold others. */
  readonly maxFiles?: number
  /** What it is made of, as JSON, where that is more than its content. */
  readonly segments?: string | null
}
