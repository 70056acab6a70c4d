import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileStore, type StoredFile } from '../../../lib/web/files/store.ts'
import { turn } from '../../engine/uws/support.ts'

const KB = 1024
let folder = ''
let store: FileStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-store-'))
  store = new FileStore(folder)
})
afterEach(() => rmSync(folder, { recursive: true }))

const put = (name: string, bytes: number, fill = 'a'): void =>
  writeFileSync(join(folder, name), Buffer.alloc(bytes, fill))

/** What the next turn finds. */
async function next(path: string): Promise<StoredFile | null> {
  await turn()
  const found = store.find(path)
  return found?.kind === 'file' ? found : null
}

/** The same, once it is kept; the first turns find it on the disk. */
async function kept(path: string): Promise<StoredFile> {
  for (;;) {
    const file = await next(path)
    if (file?.bytes) return file
  }
}

describe('files in memory', () => {
  it('a small one is read at once, and the same object from then on', async () => {
    put('small', 64 * KB)
    const first = await next('/small')
    expect(first?.bytes).toHaveLength(64 * KB)
    expect(await next('/small')).toBe(first)
  })

  it('one of up to 1 MiB is read beside its first request, which is answered from the disk', async () => {
    put('medium', 1024 * KB)
    const first = await next('/medium')
    expect(first).toMatchObject({ size: 1024 * KB, bytes: null })
    const later = await kept('/medium')
    expect([later.bytes?.length, later.etag, later.modified]).toEqual([1024 * KB, first?.etag, first?.modified])
    expect(await next('/medium')).toBe(later)
  })

  it('a larger one never is', async () => {
    put('large', 1024 * KB + 1)
    for (let i = 0; i < 50; i++) expect((await next('/large'))?.bytes).toBeNull()
  })

  it('what was kept is thrown away when the file has changed, whatever its size', async () => {
    put('file', 100 * KB)
    const before = await kept('/file')
    put('file', 100 * KB, 'b')
    const after = await kept('/file')
    expect([before.bytes?.[0], after.bytes?.[0]]).toEqual([97, 98])
    expect(after.etag).not.toBe(before.etag)
    put('other', 100 * KB, 'c')
    renameSync(join(folder, 'other'), join(folder, 'file'))
    expect((await kept('/file')).bytes?.[0]).toBe(99)
  })

  it('what changes while it is read is not kept as what it was', async () => {
    put('file', 1000 * KB)
    const first = await next('/file')
    // Its reading has begun.
    put('file', 500 * KB, 'b')
    const file = await kept('/file')
    expect([file.size, file.bytes?.length, file.bytes?.every((byte) => byte === 98)]).toEqual([
      500 * KB,
      500 * KB,
      true,
    ])
    expect(file.etag).not.toBe(first?.etag)
  })

  it('one that goes while it is read is not there', async () => {
    put('file', 1000 * KB)
    expect(await next('/file')).toMatchObject({ bytes: null })
    rmSync(join(folder, 'file'))
    expect(await next('/file')).toBeNull()
    for (let i = 0; i < 50; i++) expect(await next('/file')).toBeNull()
  })

  it('memory has a limit: the one that was not asked for the longest goes', async () => {
    for (let i = 0; i < 70; i++) put(`file-${i}`, 1000 * KB)
    const first = await kept('/file-0')
    for (let i = 1; i < 70; i++) await kept(`/file-${i}`)
    expect((await next('/file-69'))?.bytes).toHaveLength(1000 * KB)
    // Read again.
    expect((await next('/file-0'))?.bytes).toBeNull()
    expect(await kept('/file-0')).not.toBe(first)
  })
})

describe('one turn of the event loop', () => {
  it('looks once at what is asked for several times in it, the next one again', async () => {
    put('file', 10)
    await turn()
    expect(store.find('/file')).toMatchObject({ size: 10 })
    put('file', 20)
    expect(store.find('/file')).toMatchObject({ size: 10 })
    expect(await next('/file')).toMatchObject({ size: 20 })
    rmSync(join(folder, 'file'))
    expect(await next('/file')).toBeNull()
    mkdirSync(join(folder, 'file'))
    expect(store.find('/file')).toBeNull()
    await turn()
    expect(store.find('/file')).toEqual({ kind: 'folder' })
  })
})
