import { setImmediate as nextTurn } from 'node:timers/promises'
import type { WebHookEvent } from '../../include-types/web.ts'
import { webSocketSendClose } from '../websock/close.ts'
import { WS_STATUS_POLICY_VIOLATION } from '../websock/constants.ts'
import { rFailure } from '../websock/log.ts'
import type { Socket } from '../websock/socket.ts'
import { isThenable } from '../websock/thenable.ts'
import { type Refusal, refuse } from './admission.ts'
import { answer } from './answer.ts'
import { wantsUpgrade } from './handshake.ts'
import type { Response } from './response.ts'
import type { Request } from './web.ts'

/** A WebSocket was opened, before its action runs. */
export const WEB_HOOK_CONNECT = 1
/** It has ended. */
export const WEB_HOOK_DISCONNECT = 2
/** A request has come, before its route is looked for. */
export const WEB_HOOK_START = 3
/** It was admitted, before it is served or upgraded. */
export const WEB_HOOK_RUN = 4
/** Its action is about to run. */
export const WEB_HOOK_ACTION = 5
/** There is nothing to serve it with, before it is told so. */
export const WEB_HOOK_NOT_FOUND = 6
/** It is answered with a status of 400 or more, or its answer is broken off. */
export const WEB_HOOK_ERROR = 7
/** It is over: answered, or its peer has gone; for a WebSocket together with DISCONNECT. */
export const WEB_HOOK_END = 8

/** Calls `go` with what a function of the program's returns: at once, or when it is there. */
export function whenKnown<T>(
  ask: () => T | PromiseLike<T>,
  go: (value: T) => void,
  fail: (error: unknown) => void,
): void {
  let value: T | PromiseLike<T>
  try {
    value = ask()
    if (isThenable(value)) return void later(value, go, fail)
  } catch (error) {
    return fail(error)
  }
  go(value)
}

/** In a turn of its own: in that of another request uWebSockets.js makes no WebSocket of this one, and ends the process. */
async function later<T>(value: PromiseLike<T>, go: (value: T) => void, fail: (error: unknown) => void): Promise<void> {
  try {
    const known = await value
    await nextTurn()
    go(known)
  } catch (error) {
    fail(error)
  }
}

/**
 * Asks the program's hook before a step. It may answer the request itself, and has when it returns; without an answer 0
 * goes on, and any other number drops the connection.
 */
export function askHook(request: Request, event: WebHookEvent, go: () => void): void {
  const { hook } = request.host
  if (hook === null) return go()
  const { response, webSocket } = request
  whenKnown(
    () => hook(request, event),
    (code) => {
      if (response?.done || response?.started) response.end()
      else if (code === undefined || code === 0) go()
      else if (webSocket === null) response?.abort()
      else webSocketSendClose(webSocket, WS_STATUS_POLICY_VIOLATION)
    },
    (error) => request.fail('Hook failed', error),
  )
}

const hookFailed = (error: unknown): void => rFailure('web', 'Hook failed', error)

/** Tells the hook what cannot be changed any more. Never throws. */
const tellHook = (request: Request, event: WebHookEvent): void =>
  whenKnown(
    () => request.host.hook?.(request, event),
    () => {},
    hookFailed,
  )

/** From here on the hook is told of what becomes of a request. */
export function watch(request: Request, response: Response): void {
  request.rememberRemote()
  response.watcher = {
    onError: () => tellHook(request, WEB_HOOK_ERROR),
    onEnd: () => tellHook(request, WEB_HOOK_END),
  }
  // An upgrade has no answer that could be broken off, before it is one.
  if (!wantsUpgrade(response.exchange)) response.exchange.onAbort(() => response.lost())
}

/** Requests of connections that a hook has heard of. */
const connected = new WeakMap<Socket, Request>()

export function tellConnect(request: Request, ws: Socket): void {
  if (request.host.hook === null) return
  connected.set(ws, request)
  tellHook(request, WEB_HOOK_CONNECT)
}

export function tellEnd(ws: Socket): void {
  const request = connected.get(ws)
  if (request === undefined) return
  tellHook(request, WEB_HOOK_END)
  tellHook(request, WEB_HOOK_DISCONNECT)
}

/** There is nothing for a request, unless the hook has something. */
export const notFound = (request: Request, text: string, refusal: Refusal | null = null): void =>
  askHook(request, WEB_HOOK_NOT_FOUND, () => {
    const { response, host } = request
    if (response === null) return
    const missing = answer(404, text)
    if (refusal === null) response.give(missing)
    else refuse(response, host.observer, { refusal, answer: missing })
  })
