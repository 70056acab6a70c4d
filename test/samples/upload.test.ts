import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { byEngine } from '../support/differences.ts'
import { engines, Peer, serve } from './support.ts'

const MB = 1 << 20
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')

it.concurrent.each(engines)('upload: digest, bytes and parts of each message, on %s', async (engine) => {
  const sample = serve('upload', engine)
  const at = `127.0.0.1:${await sample.port()}`
  expect(await (await fetch(`http://${at}`)).text()).toContain('src="upload.js"')
  expect(await (await fetch(`http://${at}/upload.js`)).text()).toContain("new URL('/upload', location.href)")

  const peer = await Peer.open(`ws://${at}/upload`)
  const answer = async (): Promise<unknown> => JSON.parse(await peer.hear())

  const bytes = Buffer.alloc(10 * MB + 5, 'some bytes, ')
  peer.socket.send(bytes)
  expect(await answer()).toEqual({ sha256: sha256(bytes), bytes: bytes.length, parts: 11 })
  // A character of three bytes lies across the end of a part.
  const text = 'a' + '€'.repeat(MB)
  peer.socket.send(text)
  expect(await answer()).toEqual({ sha256: sha256(text), bytes: 3 * MB + 1, parts: 4 })
  peer.socket.send('')
  expect(await answer()).toEqual({ sha256: sha256(''), bytes: 0, parts: 1 })
  for (const [i, part] of ['one ', 'two ', 'three'].entries()) peer.socket.send(part, { fin: i === 2 })
  const parts = byEngine(engine, 'parts', { node: 3, uws: 1 })
  expect(await answer()).toEqual({ sha256: sha256('one two three'), bytes: 13, parts })

  const stopped = sample.stop('SIGINT')
  expect(await peer.closed).toBe(1001)
  await stopped
})

it.runIf(process.platform === 'linux').concurrent('upload: 96 MB in the memory of a few parts', async () => {
  const sample = serve('upload', 'node')
  const peer = await Peer.open(`ws://127.0.0.1:${await sample.port()}/upload`)
  const piece = Buffer.alloc(4 * MB, 'some bytes, ')
  const hash = createHash('sha256')
  async function send(pieces: number): Promise<void> {
    for (let i = 1; i <= pieces; i++) {
      hash.update(piece)
      await new Promise((resolve) => peer.socket.send(piece, { fin: i === pieces }, resolve))
    }
  }
  /** What the process has needed at most so far, in bytes. */
  const peak = (): number =>
    Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${sample.child.pid}/status`, 'utf8'))?.[1]) * 1024

  peer.socket.send(piece)
  await peer.hear()
  const before = peak()
  await send(24)
  expect(JSON.parse(await peer.hear())).toEqual({ sha256: hash.digest('hex'), bytes: 96 * MB, parts: 96 })
  expect(peak() - before).toBeLessThan(48 * MB)
  await sample.stop()
})
