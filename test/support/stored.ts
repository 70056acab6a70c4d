import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AttachedFile } from '../../lib/chat/files.ts'
import { Refusal } from '../../lib/chat/refusal.ts'
import type { OpenWorld } from './world.ts'

/** What a PNG begins with, and something that tells it from others. */
export const png = (mark: string, length = 40): Buffer =>
  Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(length - 8, `${mark} `)])

/** Names of the files in a folder of the data folder, however deep. */
export function filesIn(folder: string, name: string): string[] {
  const path = join(folder, name)
  if (!existsSync(path)) return []
  const all = readdirSync(path, { recursive: true, withFileTypes: true })
  return all
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .toSorted()
}

/** A file for a channel, as doors add one. */
export const addFile = (
  { world }: OpenWorld,
  user: string,
  channel: string,
  content: string | Buffer,
  name = 'fog.txt',
): Promise<AttachedFile> => {
  const bytes = Buffer.from(content)
  return world.files.keep(bytes, (kept) => world.uploads.add(user, channel, name, kept))
}

/** How what is under way is refused. */
export async function codeOfLate(act: Promise<unknown>): Promise<string> {
  try {
    await act
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'nothing was refused'
}
