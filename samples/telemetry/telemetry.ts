import {
  type Json,
  jsonAlloc,
  jsonSetNum,
  jsonSetString,
  R_ERR_WOULD_BLOCK,
  rInfo,
  type Web,
  webGetQueryVar,
  WS_EVENT_CLOSE,
  WS_EVENT_OPEN,
  webSocketRun,
  webSocketSendJson,
} from 'fiberws'

/** `ws://HOST/?sensors=2&period=1000`: a reading of so many sensors, every so many milliseconds. */
export default function telemetry(web: Web): Promise<number> {
  const ws = web.webSocket
  const sensors = queryNumber(web, 'sensors', 2, 1000)
  const period = queryNumber(web, 'period', 1000, 60_000)
  let seq = 0
  let behind = false
  let timer: NodeJS.Timeout | undefined

  function sendReading(): void {
    const sent = webSocketSendJson(ws, takeReading(++seq, sensors))
    // The connection is kept. What its reader has missed shows in `seq`.
    if (sent === R_ERR_WOULD_BLOCK && !behind) rInfo('telemetry', 'slow reader, reading %d is skipped', seq)
    if (sent >= 0 && behind) rInfo('telemetry', 'reading %d is sent again', seq)
    behind = sent === R_ERR_WOULD_BLOCK
  }

  return webSocketRun(ws, (_ws, event) => {
    if (event === WS_EVENT_OPEN) {
      // Any plain value is JSON, too.
      webSocketSendJson(ws, { type: 'welcome', sensors, period })
      timer = setInterval(sendReading, period)
    } else if (event === WS_EVENT_CLOSE) {
      clearInterval(timer)
      rInfo('telemetry', 'reader left at reading %d', seq)
    }
  })
}

/** The tree as C builds it. There is no need for `jsonFree`. */
function takeReading(seq: number, sensors: number): Json {
  const json = jsonAlloc()
  jsonSetString(json, 0, 'type', 'telemetry')
  jsonSetNum(json, 0, 'seq', seq)
  for (let i = 0; i < sensors; i++) {
    jsonSetNum(json, 0, `sensors[${i}].temperature`, between(18, 28))
    jsonSetNum(json, 0, `sensors[${i}].humidity`, between(40, 70))
  }
  return json
}

const between = (low: number, high: number): number => Math.round(low + Math.random() * (high - low))

/** A whole number of the query, from 1 to `max`. */
function queryNumber(web: Web, name: string, byDefault: number, max: number): number {
  const value = Number(webGetQueryVar(web, name) ?? byDefault)
  return Number.isInteger(value) && value >= 1 ? Math.min(value, max) : byDefault
}
