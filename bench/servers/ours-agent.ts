import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent } from '../../include-types/agent.ts'
import { createAgentHandler } from '../../lib/agent/handler.ts'
import { rSetLogSink } from '../../lib/index.ts'
import { parts } from '../../lib/parts.ts'
import { createHost } from '../../lib/web/host.ts'
import { start } from './ours.ts'

/** What each delta says, in `agent.py` too. */
const TEXT = 'the next few words, '

/** Asked for `50 20` it says fifty pieces, one each 20 ms: when it is due, so that it does not fall behind by itself. */
async function* say(text: string): AsyncGenerator<string> {
  const [deltas = 0, every = 0] = text.split(' ').map(Number)
  const begin = performance.now()
  for (let at = 0; at < deltas; at++) {
    const wait = begin + at * every - performance.now()
    if (wait > 0) await sleep(wait)
    yield TEXT
  }
}

const noWorld = (): never => {
  throw new Error('there is no world here')
}

/** The agent channel of fiberws, as a config has it, with an agent that knows its answer: what is measured is the channel. */
export function startOursAgent(engine: 'uws' | 'node'): Promise<number> {
  rSetLogSink(() => {})
  const agent: Agent = { name: 'bench', reply: (_session, text) => say(text) }
  return start(
    createHost(
      {
        web: { engine, limits: { connections: 'unlimited' } },
        channels: {
          websocket: {
            enabled: true,
            port: 0,
            websocketRequiresToken: false,
            // All answer at the same time.
            maxConcurrentTurns: 0,
            // A client that only counts answers no pings.
            pingIntervalS: 300,
          },
        },
      },
      { ...parts, handlers: { ...parts.handlers, agent: createAgentHandler(noWorld, () => agent) } },
    ),
  )
}
