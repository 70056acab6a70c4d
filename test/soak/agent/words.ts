/** What the agent of the soak says: the same for the same number, in pieces, with characters of one to four bytes. */
const WORDS = ['wave', 'møle', '潮の', '🛟', 'quay ', '\n', '"tide"', 'a\\b', 'buoy, ', 'é']

/** A piece of an answer. */
export const word = (answer: number, at: number): string => `${WORDS[(answer * 7 + at * 3) % WORDS.length]}${at} `

export const wholeAnswer = (answer: number, pieces: number): string =>
  Array.from({ length: pieces }, (_, at) => word(answer, at)).join('')

/** What is asked for: an answer by its number, in so many pieces, one each `every` milliseconds. */
export interface Wish {
  readonly answer: number
  readonly pieces: number
  readonly every: number
  /** Each piece says when it was said, and is filled up to so many characters; 0: it is a word. */
  readonly stamped: number
}

export const toText = ({ answer, pieces, every, stamped }: Wish): string => [answer, pieces, every, stamped].join(' ')

export function toWish(text: string): Wish {
  const [answer = 0, pieces = 0, every = 0, stamped = 0] = text.split(' ').map(Number)
  return { answer, pieces, every, stamped }
}

/** Nanoseconds of a clock that all processes of a machine share. */
export const stamp = (): string => process.hrtime.bigint().toString()
export const sinceStamp = (text: string): number => Number(process.hrtime.bigint() - BigInt(text)) / 1e6
