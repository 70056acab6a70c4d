/** The public door: everything that programs may use, by name. */
import type { Config, WebAction, WebAuthorize, WebHook, WebHost } from '../include-types/web.ts'
import { parts } from './parts.ts'
import { createHost, Host } from './web/host.ts'
import { reloadHost } from './web/reload.ts'
import { initTests } from './web/testing.ts'
import { R_ERR_BAD_ARGS } from './websock/constants.ts'

export type * from '../include-types/index.ts'
export { urlWebSocket, urlWebSocketOpen, webSocketAlloc, webSocketClientLoop } from './standalone.ts'
export { ConfigError } from './web/config/error.ts'
export {
  WEB_HOOK_ACTION,
  WEB_HOOK_CONNECT,
  WEB_HOOK_DISCONNECT,
  WEB_HOOK_END,
  WEB_HOOK_ERROR,
  WEB_HOOK_NOT_FOUND,
  WEB_HOOK_RUN,
  WEB_HOOK_START,
} from './web/hooks.ts'
export {
  webAddHeader,
  webError,
  webFinalize,
  webFlush,
  webRedirect,
  webSetStatus,
  webWrite,
  webWriteJson,
  webWriteResponse,
  webWriteResponseString,
} from './web/reply.ts'
export { webGetHeader, webGetQueryVar, webReadBody } from './web/web.ts'
export { webSocketFree, webSocketSendClose } from './websock/close.ts'
export {
  R_ERR_BAD_ARGS,
  R_ERR_BAD_RESPONSE,
  R_ERR_BAD_STATE,
  R_ERR_BUSY,
  R_ERR_CANT_COMPLETE,
  R_ERR_CANT_CONNECT,
  R_ERR_CANT_OPEN,
  R_ERR_CANT_READ,
  R_ERR_CANT_WRITE,
  R_ERR_MEMORY,
  R_ERR_TIMEOUT,
  R_ERR_TOO_MANY,
  R_ERR_WONT_FIT,
  R_ERR_WOULD_BLOCK,
  WEB_MORE,
  WS_CLIENT,
  WS_EVENT_CLOSE,
  WS_EVENT_ERROR,
  WS_EVENT_MESSAGE,
  WS_EVENT_OPEN,
  WS_EVENT_PARTIAL_MESSAGE,
  WS_MAGIC,
  WS_MAX_CONTROL,
  WS_MAX_FRAME,
  WS_MAX_MESSAGE,
  WS_MSG_BINARY,
  WS_MSG_CLOSE,
  WS_MSG_CONT,
  WS_MSG_CONTROL,
  WS_MSG_MAX,
  WS_MSG_MORE,
  WS_MSG_PING,
  WS_MSG_PONG,
  WS_MSG_TEXT,
  WS_SERVER,
  WS_STATE_CLOSED,
  WS_STATE_CLOSING,
  WS_STATE_CONNECTING,
  WS_STATE_OPEN,
  WS_STATUS_COMMS_ERROR,
  WS_STATUS_FRAME_TOO_LARGE,
  WS_STATUS_GOING_AWAY,
  WS_STATUS_INTERNAL_ERROR,
  WS_STATUS_INVALID_UTF8,
  WS_STATUS_MAX,
  WS_STATUS_MESSAGE_TOO_LARGE,
  WS_STATUS_MISSING_EXTENSION,
  WS_STATUS_NO_STATUS,
  WS_STATUS_OK,
  WS_STATUS_POLICY_VIOLATION,
  WS_STATUS_PROTOCOL_ERROR,
  WS_STATUS_TLS_ERROR,
  WS_STATUS_TRY_AGAIN_LATER,
  WS_STATUS_UNSUPPORTED_TYPE,
  WS_VERSION,
} from './websock/constants.ts'
export {
  webSocketGetClientKey,
  webSocketGetCloseReason,
  webSocketGetCloseStatus,
  webSocketGetData,
  webSocketGetErrorMessage,
  webSocketGetMessageLength,
  webSocketGetOrderlyClosed,
  webSocketGetProtocol,
  webSocketGetRemoteAddress,
  webSocketGetState,
  webSocketSelectProtocol,
  webSocketSetClientKey,
  webSocketSetData,
  webSocketSetLimits,
  webSocketSetPartial,
  webSocketSetPingPeriod,
  webSocketSetRaw,
  webSocketSetValidateUTF,
  webSocketSetView,
} from './websock/handle.ts'
export {
  jsonAlloc,
  jsonFree,
  jsonGetId,
  jsonSetBool,
  jsonSetNum,
  jsonSetNumber,
  jsonSetString,
} from './websock/json.ts'
export { rError, rInfo, rSetLogSink, rTrace } from './websock/log.ts'
export { webSocketRun } from './websock/run.ts'
export {
  webSocketCork,
  webSocketFlush,
  webSocketGetBufferedAmount,
  webSocketSend,
  webSocketSendBlock,
  webSocketSendJson,
  webSocketSendString,
} from './websock/send.ts'
export { webSocketPublish, webSocketSubscribe, webSocketUnsubscribe } from './websock/topics.ts'

/**
 * Makes a host from a JSON5 file or an object; relative paths count from the file's folder, or from the current one.
 * Throws ConfigError with every problem, a line each.
 */
export const webAllocHost = (config: string | Config): WebHost => createHost(config, parts)

/** Opens all listeners, or none: resolves with 0, or -28 (see `webGetError`). */
export const webStartHost = (host: WebHost): Promise<number> => toHost(host)?.start() ?? Promise.resolve(R_ERR_BAD_ARGS)

/**
 * Sends Close 1001 to everybody, waits for `timeouts.drain` at most, and frees the ports. A callback or action of the host that
 * waits for this waits for itself.
 */
export const webStopHost = (host: WebHost): Promise<void> => toHost(host)?.stop() ?? Promise.resolve()

/**
 * Goes on with another config, or with a file as it is now. Connections of routes that stay are kept, and their limits are those of now; others get Close
 * 1001. Resolves with 0; or with -28 where the config cannot be used, see `webGetError`: everything is as it was then. One reload comes after the other.
 */
export async function webReloadHost(host: WebHost, config: string | Config): Promise<number> {
  const known = toHost(host)
  return known === null ? R_ERR_BAD_ARGS : reloadHost(known, config)
}

/**
 * Who may use routes with a role: a hook that is asked before handler and upgrade. Without one
 * only the role 'public' passes. Returns 0, or -6.
 */
export function webSetAuthorize(host: WebHost, authorize: WebAuthorize | null): number {
  const known = toHost(host)
  if (known === null || (authorize !== null && typeof authorize !== 'function')) return R_ERR_BAD_ARGS
  known.authorize = authorize
  return 0
}

/** A function that is called at each step of each request, and may answer it or refuse to go on; null: none. Returns 0, or -6. */
export function webSetHook(host: WebHost, hook: WebHook | null): number {
  const known = toHost(host)
  if (known === null || (hook !== null && typeof hook !== 'function')) return R_ERR_BAD_ARGS
  known.hook = hook
  return 0
}

/** Number of WebSockets of a host that have not ended. */
export const webHostConnections = (host: WebHost): number => toHost(host)?.connections ?? 0

/** Why `webStartHost` has failed; null if it has not. */
export const webGetError = (host: WebHost): string | null => toHost(host)?.error ?? null

/** The port of the `i`-th listener; -6 when there is none. */
export const webGetPort = (host: WebHost, i = 0): number => toHost(host)?.listening[i]?.port ?? R_ERR_BAD_ARGS

/** Drops all connections at once, frees the ports, and does not start again. */
export const webFreeHost = (host: WebHost): Promise<void> => toHost(host)?.free() ?? Promise.resolve()

/**
 * Registers an action for a path and what is below it, the first one wins. Routes with `handler: 'action'` and no module find
 * it there. `role` is asked of the hook of `webSetAuthorize`, beside that of the route.
 */
export function webAddAction<D = unknown>(host: WebHost, match: string, action: WebAction<D>, role?: string): void
export function webAddAction(host: WebHost, match: string, action: WebAction, role?: string): void {
  toHost(host)?.addAction(match, action, role)
}

/**
 * Registers actions to test clients and proxies with, below a prefix such as '/test': echoes, answers in parts, `/show`, which
 * tells the request. For test builds: they keep nothing to themselves. Returns 0, or -6.
 */
export function webTestInit(host: WebHost, prefix: string): number {
  const known = toHost(host)
  if (known === null || typeof prefix !== 'string') return R_ERR_BAD_ARGS
  initTests(known, prefix)
  return 0
}

const toHost = (host: WebHost): Host | null => (host instanceof Host ? host : null)
