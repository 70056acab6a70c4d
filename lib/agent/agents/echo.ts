import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent, TurnContext } from '../../../include-types/agent.ts'

const WORDS = /\S+\s*|\s+/gu

/** Says what it was told, word by word. */
export const createEcho = ({ prefix, delay }: { readonly prefix: string; readonly delay: number }): Agent => ({
  name: 'echo',
  reply: (_session, text, context) => speak(prefix + text, delay, context),
})

async function* speak(text: string, delay: number, { signal }: TurnContext): AsyncGenerator<string> {
  let first = true
  for (const [word] of text.matchAll(WORDS)) {
    // Nobody waits for what comes behind the end.
    if (delay > 0 && !first) await sleep(delay, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    first = false
    yield word
  }
}
