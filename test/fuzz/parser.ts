import { isUtf8 } from 'node:buffer'
import { type FrameHandler, FrameParser } from '../../lib/engine/node/parser.ts'
import { FRAME_END, MESSAGE_END, PIECE, type PieceEnd } from '../../lib/engine/port.ts'
import { INVALID_UTF8 } from '../../lib/rfc6455.ts'
import { Random } from './random.ts'
import { chunks, mutate, sequence } from './sequences.ts'
import { must, type Outcome, type Target } from './target.ts'

/**
 * Notes what a parser reports in a form that does not depend on where its input was cut, and checks each report on its
 * own. `act` is called at each report: it may pause or stop the parser.
 */
class Recorder implements FrameHandler {
  readonly events: string[] = []
  messages = 0
  stopped = false
  readonly #act: () => void
  #over = false
  #inFrame = false
  /** Announced and not there yet. */
  #left = 0
  /** Bytes as latin1: of the frame, and of a text message up to here. */
  #frame = ''
  #text = ''

  constructor(act: () => void = () => {}) {
    this.#act = act
  }

  onFrame(length: number): boolean {
    this.#begin('onFrame')
    must(length >= 0 && Number.isSafeInteger(length), `announced ${length} bytes`)
    this.#inFrame = true
    this.#left = length
    this.#frame = ''
    this.events.push(`frame ${length}`)
    this.#act()
    return true
  }

  onData(bytes: Buffer, binary: boolean, end: PieceEnd): void {
    must(!this.#over && !this.stopped, 'data after the end')
    must(this.#inFrame, 'data outside of a frame')
    must(bytes.length <= this.#left, `${bytes.length} bytes where ${this.#left} are announced`)
    this.#left -= bytes.length
    must((end === PIECE) === this.#left > 0, `end ${end} with ${this.#left} bytes to come`)
    const piece = bytes.toString('latin1')
    this.#frame += piece
    if (!binary) this.#text += piece
    if (end !== PIECE) {
      this.events.push(`${binary ? 'binary' : 'text'} ${end === FRAME_END ? 'part' : 'end'} ${this.#frame}`)
      this.#inFrame = false
      this.#frame = ''
    }
    if (end === MESSAGE_END) {
      this.messages++
      if (!binary) must(isUtf8(Buffer.from(this.#text, 'latin1')), 'text that is not UTF-8')
      this.#text = ''
    }
    this.#act()
  }

  onPing(payload: Buffer): void {
    this.#begin('onPing')
    must(payload.length <= 125, 'a long ping')
    this.events.push(`ping ${payload.toString('latin1')}`)
    this.#act()
  }

  onPong(): void {
    this.#begin('onPong')
    this.events.push('pong')
    this.#act()
  }

  onClose(status: number, reason: string): void {
    this.#begin('onClose')
    this.#over = true
    this.events.push(`close ${status} ${reason}`)
  }

  onFault(status: number, words: string): void {
    must(!this.#over && !this.stopped, 'a fault after the end')
    must(!this.#inFrame || status === INVALID_UTF8, `fault ${status} inside of a frame`)
    this.#over = true
    // How much of the frame was handed on before depends on where it was cut.
    this.#inFrame = false
    this.events.push(`fault ${status} ${words}`)
  }

  /** There is no more input. */
  finish(): void {
    if (this.#inFrame && !this.#over) this.events.push(`piece ${this.#frame}`)
    must(isPrefix(Buffer.from(this.#text, 'latin1')), 'text that no continuation makes UTF-8')
  }

  #begin(what: string): void {
    must(!this.#over && !this.stopped, `${what} after the end`)
    must(!this.#inFrame, `${what} inside of a frame`)
  }
}

/** Whether something may follow that makes it UTF-8. */
function isPrefix(bytes: Buffer): boolean {
  if (isUtf8(bytes)) return true
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

/** The role follows from the first frame: a server's parser for masked input, else a client's. */
const wantsMask = (input: Buffer): boolean => input.length < 2 || ((input[1] ?? 0) & 0x80) !== 0

function parseChunks(input: Buffer, pieces: readonly Buffer[]): Recorder {
  const recorder = new Recorder()
  const parser = new FrameParser(recorder, wantsMask(input))
  for (const piece of pieces) parser.push(piece)
  recorder.finish()
  return recorder
}

/** Pauses inside of reports, and resumes there, between chunks, or at the end. */
function parsePausing(input: Buffer, random: Random): Recorder {
  const recorder = new Recorder(() => {
    if (random.chance(0.4)) parser.pause()
    if (random.chance(0.2)) parser.resume()
  })
  const parser = new FrameParser(recorder, wantsMask(input))
  for (const piece of chunks(random, input)) {
    if (random.chance(0.2)) parser.pause()
    parser.push(piece)
    while (parser.paused && random.chance(0.5)) parser.resume()
  }
  while (parser.paused) parser.resume()
  must(!parser.holds, 'input is held though nothing is paused')
  recorder.finish()
  return recorder
}

/** Stops inside of a report: nothing may follow. */
function parseStopping(input: Buffer, random: Random): void {
  let left = random.between(1, 6)
  const recorder = new Recorder(() => {
    if (--left > 0) return
    parser.stop()
    recorder.stopped = true
  })
  const parser = new FrameParser(recorder, wantsMask(input))
  for (const piece of chunks(random, input)) parser.push(piece)
  parser.resume()
}

function same(whole: Recorder, other: Recorder, how: string): void {
  const differs = (i: number): boolean => whole.events[i] !== other.events[i]
  const length = Math.max(whole.events.length, other.events.length)
  for (let i = 0; i < length; i++) {
    must(!differs(i), () => `${how}: event ${i} is '${show(other.events[i])}', in one chunk '${show(whole.events[i])}'`)
  }
}

const show = (event: string | undefined): string => Buffer.from((event ?? 'nothing').slice(0, 200), 'latin1').toString()

function attempt(input: Buffer): Outcome {
  const random = Random.from(input)
  const whole = parseChunks(input, [Buffer.from(input)])
  same(whole, parseChunks(input, chunks(random, input)), 'in chunks')
  same(whole, parsePausing(input, random), 'with pauses')
  parseStopping(input, random)
  return { count: 1, reached: whole.messages > 0 }
}

/** The frame parser alone: what it reports must not depend on how its input was cut, nor on pauses. */
export const parser: Target = {
  name: 'parser',
  full: 1_000_000,
  quick: 10_000,
  lanes: 1,
  minReached: 0.3,
  maxGrowth: 5e6,
  start: () =>
    Promise.resolve({
      make: (random) => mutate(random, sequence(random, random.chance(0.9))),
      attempt,
      settle: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      notes: () => '',
    }),
}
