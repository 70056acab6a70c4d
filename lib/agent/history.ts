import type { ChatMessage } from '../../include-types/agent.ts'

export interface HistoryLimits {
  readonly maxHistoryMessages: number
  /** UTF-16 units. */
  readonly maxHistoryChars: number
}

/** What was said so far, with one more turn, within limits: the oldest goes first, and a user speaks first. */
export function remember(
  history: readonly ChatMessage[],
  question: string,
  answer: string,
  { maxHistoryMessages, maxHistoryChars }: HistoryLimits,
): readonly ChatMessage[] {
  const all: ChatMessage[] = [...history, { role: 'user', content: question }, { role: 'assistant', content: answer }]
  let start = Math.max(0, all.length - maxHistoryMessages)
  let length = all.slice(start).reduce((sum, { content }) => sum + content.length, 0)
  while (start < all.length && (length > maxHistoryChars || all[start]?.role !== 'user')) {
    length -= all[start]?.content.length ?? 0
    start++
  }
  return all.slice(start)
}
