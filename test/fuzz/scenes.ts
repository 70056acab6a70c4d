import * as library from '../../lib/index.ts'
import type { Calls } from './calls.ts'
import type { Random } from './random.ts'

/** What random calls alone come to seldom: full buffers, messages in parts, ends in the middle of it. */

/** Twenty of them are more than the kernel takes. */
const BLOCK = 300_000
const TURNS = 400
const TOPIC = 'a'

export interface Stagehand {
  readonly random: Random
  readonly calls: Calls
  /** The host's; 0: none. */
  readonly maxMessage: number
}

type Scene = (stagehand: Stagehand, ws: library.WebSocket) => void

/** More than there is room for, as far as the host lets us: the peer cannot read meanwhile. */
const flood: Scene = ({ random, calls, maxMessage }, ws) => {
  const block = Buffer.alloc(maxMessage === 0 ? BLOCK : Math.min(BLOCK, maxMessage))
  if (random.chance(0.5)) library.webSocketSubscribe(ws, TOPIC)
  for (let left = Math.min(TURNS, 20 * (BLOCK / block.length)); left > 0; left--) {
    const code = random.chance(0.5)
      ? library.webSocketSendBlock(ws, library.WS_MSG_BINARY, block)
      : library.webSocketPublish(ws.topics, TOPIC, block)
    calls.returned('webSocketSendBlock', code)
    if (code < 0) break
  }
  if (random.chance(0.7)) calls.returned('webSocketFlush', library.webSocketFlush(ws))
}

const parts: Scene = ({ random, calls }, ws) => {
  const { WS_MSG_TEXT, WS_MSG_CONT, WS_MSG_MORE } = library
  const part = (type: number): void =>
    calls.returned('webSocketSendBlock', library.webSocketSendBlock(ws, type, 'p'.repeat(random.below(300))))
  if (random.chance(0.7)) library.webSocketSubscribe(ws, TOPIC)
  part(WS_MSG_TEXT | WS_MSG_MORE)
  for (let left = random.below(4); left > 0; left--) {
    if (random.chance(0.5)) library.webSocketPublish(ws.topics, TOPIC, 'between')
    part(WS_MSG_CONT | WS_MSG_MORE)
    if (random.chance(0.2)) library.webSocketUnsubscribe(ws, TOPIC)
    if (random.chance(0.2)) calls.call()
  }
  if (random.chance(0.8)) part(WS_MSG_CONT)
}

const end: Scene = ({ random, calls }, ws) => {
  if (random.chance(0.3)) library.webSocketFree(ws)
  else calls.returned('webSocketSendClose', library.webSocketSendClose(ws, 1000, 'the end'))
}

const corked: Scene = (stagehand, ws) => {
  library.webSocketCork(ws, () => {
    for (let left = stagehand.random.below(3); left > 0; left--) play(stagehand, ws)
  })
}

const SCENES = [flood, flood, parts, parts, parts, corked, end] as const

export function play(stagehand: Stagehand, ws: library.WebSocket): void {
  stagehand.random.pick(SCENES)(stagehand, ws)
}
