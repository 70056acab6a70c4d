import { createHash, randomUUID } from 'node:crypto'
import { existsSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, mkdir, open, opendir, rename } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of a file: all of them, or as they come. */
export type Bytes = Uint8Array | AsyncIterable<Uint8Array>

/** Bytes that are on the disk whole, and have no name there yet. */
export interface Arrival {
  readonly sha256: string
  readonly size: number
  /** What they begin with. */
  readonly head: Buffer
  readonly path: string
}

/** Bytes of the head, and of what is hashed and written in one turn of the event loop. */
const [HEAD, SLICE] = [64, 1 << 20]

/** Bytes by their SHA-256, each once: `blobs/ab/ab12…` in the data folder. */
export class Blobs {
  readonly #folder: string
  readonly #tmp: string
  readonly #full: boolean

  /** @param full what is kept survives also a loss of power */
  constructor(folder: string, full: boolean) {
    this.#folder = join(folder, 'blobs')
    this.#tmp = join(folder, 'tmp')
    this.#full = full
    // What was not written to its end is of no use.
    rmSync(this.#tmp, { recursive: true, force: true })
  }

  pathOf(sha256: string): string {
    return join(this.#folder, sha256.slice(0, 2), sha256)
  }

  has(sha256: string): boolean {
    return existsSync(this.pathOf(sha256))
  }

  /** Rejects as `bytes` does, and leaves nothing behind then. */
  async receive(bytes: Bytes): Promise<Arrival> {
    await mkdir(this.#tmp, { recursive: true, mode: 0o700 })
    const path = join(this.#tmp, randomUUID())
    const file = await open(path, 'wx', 0o600)
    try {
      const arrived = await write(file, bytes)
      if (this.#full) await file.sync()
      return { ...arrived, path }
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
  }

  /** Under its own name, now that it is whole: who ends in between leaves nothing that looks like it. */
  async settle({ sha256, path }: Arrival): Promise<void> {
    const folder = join(this.#folder, sha256.slice(0, 2))
    try {
      if (this.has(sha256)) return
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await rename(path, this.pathOf(sha256))
      if (this.#full) await syncFolder(folder)
    } finally {
      rmSync(path, { force: true })
    }
  }

  /** All that were put there before that time. */
  async *before(time: number): AsyncGenerator<string> {
    if (!existsSync(this.#folder)) return
    for await (const { parentPath, name } of await opendir(this.#folder, { recursive: true })) {
      const found = statSync(join(parentPath, name), { throwIfNoEntry: false })
      if (found?.isFile() === true && found.mtimeMs < time) yield name
    }
  }

  remove(sha256: string): void {
    rmSync(this.pathOf(sha256), { force: true })
  }
}

async function write(file: FileHandle, bytes: Bytes): Promise<Omit<Arrival, 'path'>> {
  const hash = createHash('sha256')
  let head = Buffer.alloc(0)
  let size = 0
  for await (const chunk of bytes instanceof Uint8Array ? slices(bytes) : bytes) {
    if (head.length < HEAD) head = Buffer.concat([head, chunk.subarray(0, HEAD - head.length)])
    size += chunk.length
    hash.update(chunk)
    await file.appendFile(chunk)
  }
  return { sha256: hash.digest('hex'), size, head }
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE) yield bytes.subarray(at, at + SLICE)
}

/** A name is on the disk when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
