import { createStreamEngine } from './engine/select.ts'
import { createOneBotHandler } from './onebot/handler.ts'
import type { Dial } from './onebot/transport/link.ts'
import { homes } from './protocols.ts'
import { Loop } from './websock/client/loop.ts'
import { createContext, DEFAULTS, publishLimit } from './websock/context.ts'
import { logObserver } from './websock/observer.ts'

/* Bots stand on the world, and connect to their clients by themselves. */

/** Bytes that may wait for a client's server. */
const MAX_BACKPRESSURE = 67_108_864

const limits = { ...DEFAULTS, maxBackpressure: MAX_BACKPRESSURE }
const engine = createStreamEngine(publishLimit(limits))
const side = { port: engine.client, context: createContext(engine.clock, engine.topics, logObserver, limits) }

export const dial: Dial = (url, proc, options) => new Loop(side, url, proc, undefined, options)

export const oneBotHandler = createOneBotHandler(homes, dial)
