import { randomBytes } from 'node:crypto'
import { isRecord } from '../web/config/check.ts'
import { type Asked, parseRequest } from './envelope.ts'
import { Digits } from './media/digits.ts'

/*
 * What clients ask for, as it comes. A part of a file is most of its frame: it is not made into text, which would be as long
 * again, and once more as what JSON finds in it.
 */

/** Bytes of a part for which that is worth it. */
const LONG = 65_536

const KEY = '"chunk_data"'
const [QUOTE, BACKSLASH] = [0x22, 0x5c]
/** What stands where such a part was. Nobody else knows it. */
const MARK = `…${randomBytes(16).toString('hex')}`

/** The text that is left. */
interface Lifted {
  readonly text: string
  readonly digits: Digits
}

/** Null: there is nothing that can be lifted out. */
function lift(bytes: Buffer): Lifted | null {
  const key = bytes.length < LONG ? -1 : bytes.indexOf(KEY)
  if (key === -1) return null
  const behind = key + KEY.length
  const [opening] = /^\s*:\s*"/.exec(bytes.toString('latin1', behind, behind + 20)) ?? []
  if (opening === undefined) return null
  const from = behind + opening.length
  const to = bytes.indexOf(QUOTE, from)
  const digits = bytes.subarray(from, to)
  if (to - from < LONG || digits.includes(BACKSLASH)) return null
  return { text: bytes.toString('utf8', 0, from) + MARK + bytes.toString('utf8', to), digits: new Digits(digits) }
}

/** With the part in its place; null: something else looked like one. */
function place({ text, digits }: Lifted): Asked | null {
  const asked = parseRequest(text)
  if ('unreadable' in asked || !isRecord(asked.params) || asked.params['chunk_data'] !== MARK) return null
  return { ...asked, params: { ...asked.params, chunk_data: digits } }
}

/** What is asked, or with what echo that it cannot be read; and the frame for the log. */
export function readFrame(bytes: Buffer): { readonly asked: ReturnType<typeof parseRequest>; readonly text: string } {
  const lifted = lift(bytes)
  const placed = lifted === null ? null : place(lifted)
  if (lifted !== null && placed !== null) return { asked: placed, text: lifted.text.replace(MARK, '…') }
  const text = bytes.toString()
  return { asked: parseRequest(text), text }
}
