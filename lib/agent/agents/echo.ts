import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent, TurnContext } from '../../../include-types/agent.ts'

const WORDS = /\S+\s*|\s+/gu

/** Says what it was told, word by word. */
export const createEcho = ({ prefix, delay }: { readonly prefix: string; readonly delay: number }): Agent => ({
  name: 'echo',
  reply: (_session, text, context) => speak(prefix + text, delay, context),
})

async function* speak(text: string, delay: number, { signal }: TurnContext): AsyncGenerator<string> {
  for (const [word] of text.matchAll(WORDS)) {
    if (signal.aborted) return
    yield word
    // Nobody waits for what comes behind the end.
    if (delay > 0) await sleep(delay, undefined, { signal }).catch(() => {})
  }
}
