import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { watchCertificates } from '../../lib/web/certificates.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { Certificates } from '../support/certificate.ts'

const pems = new Certificates('first', 'second')
afterAll(() => pems.remove())
beforeEach(() => {
  pems.use('first')
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Certificates that are watched, and how often they have changed. */
function watch() {
  const { endpoints } = checkConfig({ web: { listen: 'https://127.0.0.1:0' }, tls: pems.tls }, '/')
  const seen = { changes: 0 }
  let wake = (): void => {}
  const stop = watchCertificates(endpoints, () => {
    seen.changes++
    wake()
  })
  /** Looks at the files, and waits until it has seen something. */
  const finds = async (): Promise<void> => {
    const found = new Promise<void>((resolve) => (wake = resolve))
    vi.advanceTimersByTime(2000)
    await found
  }
  /** Looks at the files, for as long as that takes many times over. */
  const looks = async (): Promise<void> => {
    vi.advanceTimersByTime(2000)
    for (let i = 0; i < 50; i++) await readFile(pems.file('first.pem'))
  }
  return { seen, stop, finds, looks }
}

describe('files of a certificate', () => {
  it('one change is told once, however long the file stays so', async () => {
    const { seen, finds, looks, stop } = watch()
    pems.useCertificate('second')
    await finds()
    for (let i = 0; i < 3; i++) await looks()
    expect(seen.changes).toBe(1)
    pems.useCertificate('first')
    await finds()
    expect(seen.changes).toBe(2)
    stop()
  })

  it('a file that goes, and comes back, is told', async () => {
    const { seen, finds, looks, stop } = watch()
    rmSync(pems.file('key.pem'))
    await finds()
    await looks()
    pems.useKey('first')
    await finds()
    expect(seen.changes).toBe(2)
    stop()
  })

  it('nobody looks at them when it is over', async () => {
    const { seen, looks, stop } = watch()
    stop()
    pems.use('second')
    await looks()
    expect([seen.changes, vi.getTimerCount()]).toEqual([0, 0])
  })
})
