import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const WIDTH = 12

/** Native code that goes wrong ends the process without a word: a file tells which inputs were under way in each lane. */
export class FlightRecorder {
  readonly file: string
  readonly #fd: number

  constructor(target: string, seed: number) {
    const folder = join(tmpdir(), 'fiberws-fuzz')
    mkdirSync(folder, { recursive: true })
    this.file = join(folder, `${target}-${seed}.inputs`)
    this.#fd = openSync(this.file, 'w')
  }

  note(lane: number, index: number): void {
    writeSync(this.#fd, `${String(index).padStart(WIDTH - 1)}\n`, lane * WIDTH)
  }

  /** The process lives. */
  close(): void {
    closeSync(this.#fd)
    rmSync(this.file, { force: true })
  }
}
