import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { createTemporary } from './folder.ts'
import type { WorldSize } from './servers/world.ts'

/**
 * Makes worlds for the gateways of a workload, one for each program, and keeps them until this process exits: a server begins
 * with a copy, as filling takes a few seconds.
 */
export class Worlds {
  readonly #size: WorldSize | null
  readonly #made = new Map<string, Promise<string>>()

  /** @param size null: a workload without one */
  constructor(size: WorldSize | null) {
    this.#size = size
  }

  /** The folder of a world of what `program` was built of. */
  async of(program: string): Promise<string | null> {
    if (this.#size === null) return null
    const made = this.#made.get(program) ?? fillWorld(program, this.#size)
    this.#made.set(program, made)
    return made
  }
}

function fillWorld(program: string, size: WorldSize): Promise<string> {
  const folder = createTemporary('fiberws-bench-filled-')
  const said = JSON.stringify(size)
  process.stderr.write(`filling a world: ${said}\n`)
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(dirname(program), 'fill.mjs'), folder, said], (error, _out, text) => {
      if (error === null) resolve(folder)
      else reject(new Error(`a world could not be filled: ${text.trim()}`))
    })
  })
}
