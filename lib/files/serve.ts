import { statSync } from 'node:fs'
import type { Files } from '../chat/files.ts'
import { timeOf } from '../chat/ids.ts'
import { notFound } from '../chat/refusal.ts'
import type { StoredFile } from '../chat/store/files.ts'
import type { HeaderList } from '../engine/port.ts'
import { answerFile, toWhole } from '../web/files/answer.ts'
import type { Response } from '../web/response.ts'
import type { Request } from '../web/web.ts'

/** A name in a header (RFC 8187 §3.2.1). */
const toExtended = (name: string): string =>
  encodeURIComponent(name).replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

/** Answers with a file of the world, or parts of it. Throws NOT_FOUND where its bytes are not there any more. */
export function serveStored(
  files: Files,
  stored: StoredFile,
  request: Request,
  response: Response,
): Promise<void> | undefined {
  const path = files.pathOf(stored)
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    files.miss(stored)
    throw notFound()
  }
  const file = {
    kind: 'file',
    path,
    size: stored.size,
    etag: `"${stored.sha256}"`,
    modified: timeOf(stored.id),
    bytes: null,
  } as const
  const state = (): HeaderList => [
    ['ETag', file.etag],
    ['Accept-Ranges', 'bytes'],
    ['Cache-Control', 'private, max-age=3600'],
  ]
  const form = (): HeaderList => [
    ['Content-Type', stored.mime],
    // Whatever is in it, it is not a page of ours.
    ['Content-Disposition', `attachment; filename*=UTF-8''${toExtended(stored.name)}`],
    ['Content-Security-Policy', "sandbox; default-src 'none'"],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
  ]
  return answerFile(request, response, file, { state, form, whole: (before) => toWhole(before, file, { state, form }) })
}
