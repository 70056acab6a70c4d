import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the servers of files have, by name: bytes. */
const FILES = { '1k.html': 1024, '64k.js': 65_536, '1m.bin': 1 << 20 }

export const files = Object.keys(FILES)

/** A folder with these files, gone when the process exits. */
export function makeSite(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-bench-site-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const [name, size] of Object.entries(FILES)) writeFileSync(join(folder, name), Buffer.alloc(size, 'a'))
  return folder
}
