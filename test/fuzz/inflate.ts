import { constants, deflateRawSync } from 'node:zlib'
import { Inflater } from '../../lib/engine/node/compression.ts'
import { type Fault, inflate, MALFORMED, slide, TOO_LARGE } from '../../lib/engine/node/deflate.ts'
import { Random } from './random.ts'
import { chunks, mutate } from './sequences.ts'
import { must, type Outcome, type Target } from './target.ts'

/** What messages may refer to; the same for all inputs, so that an input alone tells all. */
const WINDOW = Buffer.from('{"type":"message","user":"somebody","text":"the quick brown fox"} '.repeat(20))
const NO_WINDOW = Buffer.alloc(0)
const FLUSHES = [constants.Z_SYNC_FLUSH, constants.Z_FULL_FLUSH, constants.Z_FINISH] as const
const STRATEGIES = [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE] as const

function data(random: Random): Buffer {
  const size = random.chance(0.05) ? random.below(40_000) : random.below(300)
  if (random.chance(0.3)) return random.bytes(size)
  if (random.chance(0.2)) return Buffer.alloc(size, random.below(256))
  const at = random.below(WINDOW.length)
  return Buffer.concat([WINDOW.subarray(at, at + size), random.bytes(random.below(20))])
}

/** A compressed message (RFC 7692 §7.2): up to three pieces, each flushed in one way or another. */
function message(random: Random): Buffer {
  const pieces: Buffer[] = []
  for (let left = random.between(1, 3); left > 0; left--) {
    const finishFlush = left > 1 ? random.pick(FLUSHES) : constants.Z_SYNC_FLUSH
    pieces.push(
      deflateRawSync(data(random), {
        finishFlush,
        level: random.below(10),
        windowBits: random.between(9, 15),
        strategy: random.pick(STRATEGIES),
        dictionary: random.chance(0.3) ? WINDOW : NO_WINDOW,
      }),
    )
  }
  return Buffer.concat(pieces).subarray(0, -4)
}

function check(result: Buffer | Fault, limit: number): void {
  if (Buffer.isBuffer(result)) must(limit === 0 || result.length <= limit, `${result.length} bytes, limit ${limit}`)
  else must(result === MALFORMED || result === TOO_LARGE, `another fault: ${result.text}`)
}

function same(one: Buffer | Fault, other: Buffer | Fault, how: string): void {
  must(Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : one === other, `${how}: something else`)
}

function attempt(input: Buffer): Outcome {
  const random = Random.from(input)
  const limit = random.between(1, random.chance(0.5) ? 100 : 50_000)
  const window = random.chance(0.5) ? WINDOW : NO_WINDOW
  const all = inflate(input, 0, window)
  const some = inflate(input, limit, window)
  check(all, 0)
  check(some, limit)
  // A limit changes nothing but what is beyond it.
  if (Buffer.isBuffer(all)) same(some, all.length > limit ? TOO_LARGE : all, `limit ${limit}`)
  if (Buffer.isBuffer(some)) same(all, some, 'without limit')

  // However it comes, and as often as it comes.
  const inflater = new Inflater({ takeoverIn: true, takeoverOut: true, bits: 15 }, () => limit)
  let behind: Uint8Array = NO_WINDOW
  for (let i = 0; i < 2; i++) {
    const expected = inflate(input, limit, behind)
    const pieces = chunks(random, input)
    const last = pieces.pop() ?? NO_WINDOW
    for (const piece of pieces) inflater.append(piece)
    same(inflater.finish(last), expected, `in pieces, time ${i + 1}`)
    if (Buffer.isBuffer(expected)) behind = slide(behind, expected, 15)
  }
  return { count: 1, reached: Buffer.isBuffer(all) }
}

/** Compressed messages: whatever they are, what comes out is within the limit, or one of two faults. */
export const inflation: Target = {
  name: 'inflate',
  full: 1_000_000,
  quick: 2000,
  lanes: 1,
  minReached: 0.3,
  maxGrowth: 5e6,
  start: () =>
    Promise.resolve({
      make: (random) => (random.chance(0.3) ? message(random) : mutate(random, message(random))),
      attempt,
      settle: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      notes: () => '',
    }),
}
