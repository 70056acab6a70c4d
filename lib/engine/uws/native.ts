import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { UwsTransport } from './transport.ts'

/*
 * uWebSockets.js as it is at run time, as far as it is used here. The types that come with it leave out half of this,
 * and differ from one package of it to the other.
 */

/** Text or bytes. Anything else throws. */
type Data = string | Uint8Array

/** A connection. Every method throws once it is closed. */
export interface NativeSocket {
  /** What `upgrade` was given becomes properties: reading one is ten times as fast as `getUserData`. */
  readonly transport: UwsTransport
  /** Sends return 1: sent, 0: waits in this process, 2: dropped, for too much was waiting. */
  send(message: Data, isBinary: boolean, compress: boolean): number
  sendFirstFragment(message: Data, isBinary: boolean): number
  sendFragment(message: Data): number
  sendLastFragment(message: Data): number
  ping(message: Data): number
  getBufferedAmount(): number
  cork(fn: () => void): void
  subscribe(topic: string): boolean
  unsubscribe(topic: string): boolean
  isSubscribed(topic: string): boolean
  getTopics(): string[]
  /** Close, then the end of TCP; calls the `close` handler. The code is not checked. */
  end(code: number, reason: string): void
  /** The end of TCP; calls the `close` handler. */
  close(): void
}

/** A request. Gone when the handler returns. */
export interface NativeRequest {
  getCaseSensitiveMethod(): string
  getUrl(): string
  getQuery(): string | undefined
  forEach(fn: (name: string, value: string) => void): void
}

declare const context: unique symbol
/** Belongs to a request that may be upgraded. */
export interface NativeContext {
  readonly [context]: never
}

/** An answer. Every method throws once it is ended or its peer has gone. */
export interface NativeResponse {
  onAborted(fn: () => void): void
  /** A chunk is valid during the call only. */
  onData(fn: (chunk: ArrayBuffer, last: boolean) => void): void
  onWritable(fn: () => boolean): void
  cork(fn: () => void): void
  writeStatus(status: string): void
  writeHeader(name: string, value: string): void
  /** Sends a chunk. False: it waits in this process. */
  write(chunk: Data): boolean
  /** Sends what the kernel takes of an answer of `total` bytes. */
  tryEnd(chunk: Data, total: number): [ok: boolean, done: boolean]
  getWriteOffset(): number
  end(body: Data, close: boolean): void
  /** Its argument ends the process. */
  endWithoutBody(): void
  close(): void
  getRemoteAddress(): ArrayBuffer
  /** Calls the `open` handler. Anything but an object as user data ends the process. */
  upgrade(
    userData: Pick<NativeSocket, 'transport'>,
    key: string,
    protocol: string,
    extensions: string,
    context: NativeContext,
  ): void
}

/** Timeouts of 1 to 7 seconds or above 960, and lifetimes above 240, end the process. */
export interface NativeBehavior {
  readonly compression: number
  readonly maxPayloadLength: number
  readonly maxBackpressure: number
  readonly closeOnBackpressureLimit: boolean
  readonly idleTimeout: number
  readonly sendPingsAutomatically: boolean
  readonly maxLifetime: 0
  upgrade(res: NativeResponse, req: NativeRequest, context: NativeContext): void
  readonly open: (ws: NativeSocket) => unknown
  message(ws: NativeSocket, message: ArrayBuffer, isBinary: boolean): void
  ping(ws: NativeSocket): void
  pong(ws: NativeSocket, message: ArrayBuffer): void
  drain(ws: NativeSocket): void
  dropped(ws: NativeSocket): void
  close(ws: NativeSocket, code: number, message: ArrayBuffer): void
}

declare const listener: unique symbol
export interface NativeListener {
  readonly [listener]: never
}

export interface NativeApp {
  ws(pattern: string, behavior: NativeBehavior): void
  any(pattern: string, handler: (res: NativeResponse, req: NativeRequest) => void): void
  /** Called for each TCP connection that comes (1) and goes (-1). The response is for `close` only. */
  filter(fn: (res: { close(): void }, change: number) => void): void
  listen(host: string, port: number, options: number, done: (listener: NativeListener | false) => void): void
  publish(topic: string, message: Data, isBinary: boolean, compress: boolean): boolean
  numSubscribers(topic: string): number
  /** Drops all connections. */
  close(): void
}

export interface Native {
  App(): NativeApp
  /** Files only; one that is wrong is noticed at the first handshake. */
  SSLApp(options: { cert_file_name: string; key_file_name: string; ssl_ciphers?: string }): NativeApp
  us_listen_socket_close(listener: NativeListener): void
  us_socket_local_port(listener: NativeListener): number
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
  readonly DISABLED: number
  readonly SHARED_COMPRESSOR: number
  readonly SHARED_DECOMPRESSOR: number
  readonly DEDICATED_COMPRESSOR: number
  readonly DEDICATED_DECOMPRESSOR: number
}

const FUNCTIONS = ['App', 'SSLApp', 'us_listen_socket_close', 'us_socket_local_port']
const NUMBERS = [
  'LIBUS_LISTEN_EXCLUSIVE_PORT',
  'DISABLED',
  'SHARED_COMPRESSOR',
  'SHARED_DECOMPRESSOR',
  'DEDICATED_COMPRESSOR',
  'DEDICATED_DECOMPRESSOR',
]

/** Bytes of a header block that uWebSockets.js takes, for the whole process. Hosts have limits of their own below it. */
export const MAX_HEADER = 24_576

/** Loads the binary; rejects where the package has none for this machine and this version of Node. */
export async function loadNative(): Promise<Native> {
  // Read once, when the binary is loaded.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(MAX_HEADER)
  const module: unknown = await import('uWebSockets.js')
  if (!isNative(module)) throw new Error('The installed uWebSockets.js is not one that fiberws knows')
  return module
}

function isNative(module: unknown): module is Native {
  if (typeof module !== 'object' || module === null) return false
  const types = new Map(Object.entries(module).map(([name, value]) => [name, typeof value]))
  return (
    FUNCTIONS.every((name) => types.get(name) === 'function') && NUMBERS.every((name) => types.get(name) === 'number')
  )
}

/** The version of the installed package; its entry does not say. */
export function nativeVersion(): string {
  const folders = createRequire(import.meta.url).resolve.paths('uWebSockets.js') ?? []
  const file = folders.map((folder) => join(folder, 'uWebSockets.js', 'package.json')).find((path) => existsSync(path))
  const manifest: unknown = file === undefined ? null : JSON.parse(readFileSync(file, 'utf8'))
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known ? String(manifest.version) : 'of unknown version'
}
