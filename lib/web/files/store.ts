import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { LRUCache } from 'lru-cache'
import type { Validators } from './conditional.ts'

/** A file that may be served. */
export interface StoredFile extends Validators {
  readonly kind: 'file'
  /** Its real path. */
  readonly path: string
  readonly size: number
  /** Its content, where that is kept; else it is read as it is sent. */
  readonly bytes: Buffer | null
}

export type Found = StoredFile | { readonly kind: 'folder' }

/** Bytes of a file that is read while its request waits, of one that is kept in memory, and of all that are. */
const SMALL = 65_536
const MEDIUM = 1 << 20
const MAX_KEPT = 64 << 20

interface Kept {
  readonly file: StoredFile
  readonly stats: Stats
}

/**
 * The files below a folder. Those that are not large are kept, and looked at again for each request, those of one turn of the
 * event loop together: one system call, which is synchronous because node takes ten times as long to make it otherwise.
 */
export class FileStore {
  readonly #root: string
  /** What was found in this turn. */
  readonly #found = new Map<string, Found | null>()
  /** Paths of what is being read. */
  readonly #loading = new Set<string>()
  readonly #kept = new LRUCache<string, Kept>({ maxSize: MAX_KEPT, sizeCalculation: ({ file }) => file.size + 1024 })

  constructor(root: string) {
    this.#root = root
  }

  /** What a decoded, normalised path leads to; null for what is not there, is hidden, or is a link that leads out. */
  find(path: string): Found | null {
    const known = this.#found.get(path)
    if (known !== undefined) return known
    const found = isHidden(path) ? null : this.#find(path)
    if (this.#found.size === 0) setImmediate(() => this.#found.clear())
    this.#found.set(path, found)
    return found
  }

  #find(path: string): Found | null {
    try {
      const full = join(this.#root, path)
      const stats = statSync(full)
      if (stats.isFile() && path.endsWith('/')) return null
      const kept = this.#kept.get(path)
      if (kept !== undefined && isSame(kept.stats, stats)) return kept.file
      return this.#look(path, full, stats)
    } catch {
      return null
    }
  }

  #look(path: string, full: string, stats: Stats): Found | null {
    const [root, real] = [realpathSync(this.#root), realpathSync(full)]
    if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return null
    if (stats.isDirectory()) return { kind: 'folder' }
    if (!stats.isFile()) return null
    const kept = this.#keep(path, real, stats, stats.size <= SMALL ? readFileSync(real) : null)
    if (kept.bytes === null && stats.size <= MEDIUM) void this.#load(path, real, stats)
    return kept
  }

  #keep(path: string, real: string, stats: Stats, bytes: Buffer | null): StoredFile {
    const etag = `"${[stats.size, Math.floor(stats.mtimeMs), stats.ino].map((part) => part.toString(16)).join('-')}"`
    // What was read is what is sent, whatever the size was before.
    const size = bytes?.length ?? stats.size
    const file: StoredFile = { kind: 'file', path: real, size, etag, modified: stats.mtimeMs, bytes }
    if (bytes !== null) this.#kept.set(path, { file, stats })
    return file
  }

  /** Reads a file for later requests; the first is answered from the disk. */
  async #load(path: string, real: string, stats: Stats): Promise<void> {
    if (this.#loading.has(path)) return
    this.#loading.add(path)
    try {
      // If it changes meanwhile, the next look finds that it is not what it was before.
      this.#keep(path, real, stats, await readFile(real))
    } catch {
      // Gone: the next request finds out.
    } finally {
      this.#loading.delete(path)
    }
  }
}

/** A segment with a dot in front, but for the one that is meant to be found (RFC 8615). */
const isHidden = (path: string): boolean =>
  path.includes('/.') && path.split('/').some((segment) => segment.startsWith('.') && segment !== '.well-known')

const isSame = (a: Stats, b: Stats): boolean =>
  a.ino === b.ino && a.mtimeMs === b.mtimeMs && a.size === b.size && a.ctimeMs === b.ctimeMs && a.dev === b.dev
