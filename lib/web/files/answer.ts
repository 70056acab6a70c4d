import { randomBytes } from 'node:crypto'
import type { HeaderList } from '../../engine/port.ts'
import { keepHeaders } from '../../rfc9110.ts'
import { answer } from '../answer.ts'
import { joinHeaders, type Response } from '../response.ts'
import type { Request } from '../web.ts'
import { isKnown, isUnwanted, mayBePart } from './conditional.ts'
import { parseRange, type Range } from './range.ts'
import { type Piece, sendPieces } from './send.ts'
import type { StoredFile } from './store.ts'

const CHANGED = answer(412)

/** What is said of a file. */
export interface Description {
  /** Whether it is sent or not. */
  readonly state: () => HeaderList
  /** Of its bytes. */
  readonly form: () => HeaderList
  /** All of an answer that has the whole file, behind those that it has before. */
  readonly whole: (before: HeaderList) => HeaderList
}

/** The whole file, parts of it, or word that the client has it already. */
export function answerFile(
  { headers, method }: Request,
  response: Response,
  file: StoredFile,
  { state, form, whole }: Description,
): Promise<void> | undefined {
  if (isUnwanted(headers, file)) {
    response.add(state())
    response.give(CHANGED)
    return undefined
  }
  if (isKnown(headers, file)) {
    response.add(state())
    response.notModified()
    return undefined
  }
  const ranges = method === 'GET' && mayBePart(headers, file) ? parseRange(headers['range'], file.size) : null
  if (ranges === null) {
    response.headers = whole(response.headers)
    if (method === 'HEAD') response.end()
    else if (file.bytes !== null) response.end(file.bytes)
    else return sendPieces(response, file, [{ start: 0, end: file.size - 1 }], file.size)
    return undefined
  }
  response.add(state())
  if (ranges.length === 0) {
    response.give(answer(416, undefined, [['Content-Range', `bytes */${file.size}`]]))
    return undefined
  }
  response.add(form())
  const { pieces, length } = toParts(ranges, file, response)
  response.add([['Content-Length', String(length)]])
  return sendPieces(response, file, pieces, length)
}

/** What a whole file is answered with. */
export const toWhole = (
  before: HeaderList,
  { size }: StoredFile,
  { state, form }: Pick<Description, 'state' | 'form'>,
): HeaderList => keepHeaders(joinHeaders(before, [...state(), ...form(), ['Content-Length', String(size)]]))

interface Body {
  readonly pieces: readonly Piece[]
  readonly length: number
}

const lengthOf = ({ start, end }: Range): number => end + 1 - start

/** One part as it is, several between boundaries (RFC 9110 §14.6). */
function toParts(ranges: readonly Range[], { size }: StoredFile, response: Response): Body {
  const toContentRange = ({ start, end }: Range): string => `bytes ${start}-${end}/${size}`
  response.setStatus(206)
  const [only] = ranges
  if (ranges.length === 1 && only !== undefined) {
    response.add([['Content-Range', toContentRange(only)]])
    return { pieces: [only], length: lengthOf(only) }
  }
  const boundary = randomBytes(16).toString('hex')
  const type = response.headers.find(([name]) => name === 'Content-Type')?.[1] ?? ''
  const pieces = ranges.flatMap((range): Piece[] => [
    `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${toContentRange(range)}\r\n\r\n`,
    range,
  ])
  pieces.push(`\r\n--${boundary}--\r\n`)
  response.add([['Content-Type', `multipart/byteranges; boundary=${boundary}`]])
  const length = pieces.reduce((sum, piece) => sum + (typeof piece === 'string' ? piece.length : lengthOf(piece)), 0)
  return { pieces, length }
}
