import type { Failed } from './events.ts'
import { Folder } from './store/folder.ts'
import { sqliteCode } from './store/sqlite.ts'
import { World } from './world.ts'

/** A world, and the folder that it is kept in. */
export class Home {
  readonly folder: Folder
  readonly world: World

  /** @param full what was answered survives also a loss of power */
  constructor(path: string, full: boolean, failed: Failed) {
    this.folder = new Folder(path)
    try {
      this.world = new World({
        folder: path,
        file: this.folder.database,
        linkKey: this.folder.linkKey(),
        full,
        now: Date.now,
        failed,
      })
    } catch (error) {
      this.folder.close()
      if (sqliteCode(error) !== 'SQLITE_NOTADB') throw error
      const { database } = this.folder
      throw new Error(`${database} is not a database: put a copy back, or move it away to begin anew`, { cause: error })
    }
  }

  close(): void {
    this.world.close()
    this.folder.close()
  }
}
