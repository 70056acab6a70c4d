import type { Web } from '../../include-types/web.ts'
import type { WebSocket, WebSocketData, WebSocketEvent } from '../../include-types/websock.ts'
import { webSocketGetCloseReason, webSocketGetOrderlyClosed } from '../../lib/websock/handle.ts'
import { webSocketRun } from '../../lib/websock/run.ts'

/** One event as a test notes it. */
export interface Noted {
  event: WebSocketEvent
  buf: WebSocketData
  len: number
  state: number
  type: number
}

/** What a connection went through. */
export class Journal {
  readonly events: Noted[] = []
  /** Resolves with what webSocketRun returned. */
  readonly result: Promise<number>
  #settle: (result: number) => void = () => {}
  #wake: (() => void)[] = []
  ws: WebSocket | null = null

  constructor() {
    this.result = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  note(ws: WebSocket, event: WebSocketEvent, buf: WebSocketData, len: number): void {
    this.events.push({ event, buf, len, state: ws.state, type: ws.type })
    const wake = this.#wake
    this.#wake = []
    for (const fn of wake) fn()
  }

  get kinds(): number[] {
    return this.events.map(({ event }) => event)
  }

  get texts(): WebSocketData[] {
    return this.events.filter(({ event }) => event === 1 || event === 2).map(({ buf }) => buf)
  }

  /** Waits until an event has been noted `count` times. */
  async until(event: WebSocketEvent, count = 1): Promise<void> {
    while (this.events.filter((noted) => noted.event === event).length < count) {
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  /** Runs a connection and notes its events; `callback` does what the test is about. */
  run(web: Web, callback: JournalCallback = () => undefined, timeout?: number): Promise<number> {
    const result = webSocketRun(
      web.webSocket,
      (ws, event, buf, len) => {
        this.note(ws, event, buf, len)
        return callback(ws, event, buf, len)
      },
      null,
      null,
      timeout,
    )
    this.follow(web.webSocket, result)
    return result
  }

  /** Ties the journal to a run that was started elsewhere. */
  follow(ws: WebSocket | null, result: Promise<number>): void {
    this.ws = ws
    void result.then((code) => this.#settle(code))
  }

  /** What the getters say when all is over. */
  async ending(): Promise<{ run: number; status: number; reason: string | null; orderly: boolean; kinds: number[] }> {
    const run = await this.result
    return {
      run,
      status: this.ws?.closeStatus ?? 0,
      reason: webSocketGetCloseReason(this.ws),
      orderly: webSocketGetOrderlyClosed(this.ws),
      kinds: this.kinds,
    }
  }
}

export type JournalCallback = (ws: WebSocket, event: WebSocketEvent, buf: WebSocketData, len: number) => unknown
