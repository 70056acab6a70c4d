import type { Endpoint } from '../engine/port.ts'
import type { Settings } from '../web/config/settings.ts'
import type { Snapshot } from '../web/observer.ts'

/*
 * What the processes of one server tell each other. Both ends are this program, of one version, so that only messages of ours
 * have to be told from those of node's cluster.
 */

/** A listener, as a start line names it. */
export interface Place {
  readonly url: string
  readonly port: number
  readonly endpoint: Pick<Endpoint, 'name' | 'host'>
}

/** What a start line says of a worker. */
export interface Started {
  readonly engine: string
  readonly listening: readonly Place[]
}

export interface Publication {
  readonly topic: string
  readonly data: string | Uint8Array
  readonly binary: boolean
}

/** From a worker to the primary. */
export type FromWorker =
  /** It listens: what was told before is lost. */
  | { readonly kind: 'hello' }
  | ({ readonly kind: 'started' } & Started)
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'reloaded'; readonly error: string | null }
  | ({ readonly kind: 'publish' } & Publication)
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }

/** From the primary to a worker. */
export type FromPrimary =
  | { readonly kind: 'start'; readonly settings: Settings }
  | { readonly kind: 'reload'; readonly settings: Settings }
  | { readonly kind: 'stop' }
  | ({ readonly kind: 'publish' } & Publication)
  /** So many bytes that it has published are with all workers. */
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'ask' }

const isOf = (kinds: ReadonlySet<string>, value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  typeof value.kind === 'string' &&
  kinds.has(value.kind)

const FROM_WORKER: ReadonlySet<string> = new Set<FromWorker['kind']>([
  'hello',
  'started',
  'failed',
  'reloaded',
  'publish',
  'snapshot',
])
const FROM_PRIMARY: ReadonlySet<string> = new Set<FromPrimary['kind']>([
  'start',
  'reload',
  'stop',
  'publish',
  'taken',
  'ask',
])

export const isFromWorker = (value: unknown): value is FromWorker => isOf(FROM_WORKER, value)
export const isFromPrimary = (value: unknown): value is FromPrimary => isOf(FROM_PRIMARY, value)

/** Bytes that a worker has published and that some worker has yet to take: beyond that it is told to wait. */
export const MOST_WAITING = 64 << 20

/** Bytes of a message, roughly. */
export const sizeOf = ({ data }: Pick<Publication, 'data'>): number => Buffer.byteLength(data) + 100
