import type { Random } from './random.ts'

/** What is found wrong; anything else that is thrown counts the same. */
export class Problem extends Error {
  /** All that led here, where that is more than the input at hand. */
  readonly input: Buffer | null

  constructor(message: string, input: Buffer | null = null) {
    super(message)
    this.input = input
  }
}

/** For what must hold. */
export function must(holds: boolean, message: string | (() => string)): asserts holds {
  if (!holds) throw new Problem(typeof message === 'string' ? message : message())
}

export interface Outcome {
  /** What it counts for. */
  readonly count: number
  /** Whether the application got something. */
  readonly reached: boolean
}

/** A target that is ready for inputs. */
export interface Runner {
  make(random: Random): Buffer
  /** Tries an input; throws what is wrong. There is one call at a time in each lane. */
  attempt(input: Buffer, lane: number): Outcome | Promise<Outcome>
  /** Called while nothing is tried: lets go of everything and throws when something is left over. */
  settle(): Promise<void>
  stop(): Promise<void>
  /** What else it has counted. */
  notes(): string
}

export interface Target {
  readonly name: string
  /** Inputs of a full run, and of one in `npm test`. */
  readonly full: number
  readonly quick: number
  /** How many inputs are tried at the same time. */
  readonly lanes: number
  /** The share of inputs that must get through to the application. */
  readonly minReached: number
  /** Bytes that memory may grow by between the half and the end; Infinity where it is not looked at. */
  readonly maxGrowth: number
  /** What is wrong may end the process without a word. */
  readonly native?: boolean
  start(): Promise<Runner>
}
