import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from '../server-process.ts'
import type { StreamLoad } from '../workload.ts'
import { frameLength, maskedText, openReady } from './peer.ts'
import { account, type Load, type Sample, settled } from './sample.ts'

/** What a frame is, is told by the first letter of its event: `{"event":"delta"` or `{"event":"stream_end"`. */
const AT = '{"event":"'.length
const [DELTA, END] = Buffer.from('ds')
const NOTHING = Buffer.alloc(0)

/** What an agent says on one connection. Of frames only the headers are read, and a letter. */
class Stream {
  #rest = NOTHING
  #deltas = 0
  readonly #onAnswer: (deltas: number) => void

  /** @param onAnswer hears of each answer that has ended how many deltas it had */
  constructor(onAnswer: (deltas: number) => void) {
    this.#onAnswer = onAnswer
  }

  take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      const end = at + frameLength(bytes, at)
      if (end > bytes.length) break
      this.#hear(bytes, at, end)
      at = end
    }
    // What was read is overwritten by the next.
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at))
  }

  #hear(bytes: Buffer, at: number, end: number): void {
    const letter = bytes[at + ((bytes[at + 1] ?? 0) < 126 ? 2 : 4) + AT]
    if (letter === DELTA) this.#deltas++
    else if (letter === END) {
      this.#onAnswer(this.#deltas)
      this.#deltas = 0
    } else throw new Error(`the server has sent neither delta nor end: ${bytes.toString('utf8', at + 2, end)}`)
  }
}

const toSample = (used: Awaited<ReturnType<typeof account>>, count: number): Sample => ({
  cost: used.server / count,
  rate: (count / used.elapsed) * 1e6,
  server: used.server / used.elapsed,
  client: used.client / used.elapsed,
})

/**
 * Answers of an agent, which says each at the pace that it is asked for: a question is due when the answer to the last one has to
 * have ended, whether it has or not, so that all servers have the same to do in the same time. The connections begin one after the
 * other, within the time between two deltas.
 */
export async function openStream(server: Target, { connections, deltas, every }: StreamLoad): Promise<Load> {
  let missing = 0
  let expected = deltas
  let wrong: Error | null = null
  let answered = 0
  /** Asks again; null while nobody is to. */
  let again: ((socket: Socket) => void) | null = null
  const onAnswer = (found: number, i: number): void => {
    missing--
    answered++
    if (found !== expected) throw new Error(`an answer of ${found} deltas, not of ${expected}`)
    const socket = sockets[i]
    if (socket !== undefined) again?.(socket)
  }
  const sockets: Socket[] = []
  for (let i = 0; i < connections; i++) {
    const stream = new Stream((found) => onAnswer(found, i))
    const onBytes = (bytes: number, buffer: Buffer): void => {
      try {
        stream.take(buffer.subarray(0, bytes))
      } catch (error) {
        wrong ??= error instanceof Error ? error : new Error(String(error))
      }
    }
    sockets.push(await openReady(server.port, '/', onBytes))
  }
  const left = (): number => {
    if (wrong !== null) throw wrong
    return missing
  }

  /** Asks each for so many answers. */
  const ask = async (answers: number): Promise<void> => {
    const question = maskedText(`${expected} ${every}`)
    const start = performance.now()
    for (let answer = 0; answer < answers; answer++) {
      for (const [i, socket] of sockets.entries()) {
        const wait = start + (answer * expected + i / connections) * every - performance.now()
        if (wait > 0) await sleep(wait)
        missing++
        socket.write(question)
      }
    }
    await sleep((expected - 1) * every)
    await settled(left, 'answers')
  }

  /** Each asks when it has its answer: as many as there can be. */
  const saturate = async (ms: number): Promise<void> => {
    const question = maskedText(`${expected} 0`)
    again = (socket) => {
      missing++
      socket.write(question)
    }
    for (const socket of sockets) again(socket)
    await sleep(ms)
    again = null
    await settled(left, 'answers')
  }

  return {
    run: async (ms): Promise<Sample> => {
      answered = 0
      if (every === 0) return toSample(await account(server, () => saturate(ms)), answered * expected)
      // Shorter ones where there is no time for one.
      expected = Math.max(1, Math.min(deltas, Math.floor(ms / every)))
      const answers = Math.max(1, Math.floor(ms / (expected * every)))
      return toSample(await account(server, () => ask(answers)), answers * connections * expected)
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}
