import { randomUUID, subtle } from 'node:crypto'
import { existsSync, rmSync, statSync } from 'node:fs'
import { mkdir, open, opendir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

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

  /** A file of some megabytes takes as many milliseconds: not of the event loop. */
  static async hashOf(bytes: Buffer): Promise<string> {
    return Buffer.from(await subtle.digest('SHA-256', bytes)).toString('hex')
  }

  pathOf(sha256: string): string {
    return join(this.#folder, sha256.slice(0, 2), sha256)
  }

  has(sha256: string): boolean {
    return existsSync(this.pathOf(sha256))
  }

  /** Under its own name when it is whole: who ends in between leaves nothing that looks like it. */
  async keep(bytes: Buffer, sha256: string): Promise<void> {
    const path = this.pathOf(sha256)
    if (this.has(sha256)) return
    const folder = join(this.#folder, sha256.slice(0, 2))
    for (const needed of [folder, this.#tmp]) await mkdir(needed, { recursive: true, mode: 0o700 })
    const tmp = join(this.#tmp, randomUUID())
    try {
      await this.#write(tmp, bytes)
      await rename(tmp, path)
    } catch (error) {
      rmSync(tmp, { force: true })
      throw error
    }
    if (this.#full) await syncFolder(folder)
  }

  async #write(path: string, bytes: Buffer): Promise<void> {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      if (this.#full) await file.sync()
    } finally {
      await file.close()
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

  read(sha256: string): Promise<Buffer> {
    return readFile(this.pathOf(sha256))
  }

  remove(sha256: string): void {
    rmSync(this.pathOf(sha256), { force: true })
  }
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
