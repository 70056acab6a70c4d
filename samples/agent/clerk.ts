import { setTimeout as sleep } from 'node:timers/promises'
import type { ReplyFunction } from '../../include-types/index.ts'

/** An agent of your own: it remembers what was said, thinks for a moment, and answers word by word. */
const reply: ReplyFunction = async function* (session, text, { signal }) {
  const before = session.history.filter(({ role }) => role === 'user').map(({ content }) => content)
  yield `You said: ${text}. `
  const rest = before.length === 0 ? 'That was the first thing.' : `Before that: ${before.slice(-3).join(', ')}.`
  for (const [word] of rest.matchAll(/\S+\s*/g)) {
    await sleep(60)
    // Nobody wants the answer any more: the client has gone, or has said /stop.
    if (signal.aborted) return
    yield word
  }
}

export default reply
