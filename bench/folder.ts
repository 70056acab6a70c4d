import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders: string[] = []

/** Removes those that were made, before this process exits: not every process gets to the end. */
export function removeTemporary(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** A folder that is gone when this process exits. */
export function createTemporary(prefix: string): string {
  if (folders.length === 0) process.once('exit', removeTemporary)
  const folder = mkdtempSync(join(tmpdir(), prefix))
  folders.push(folder)
  return folder
}
