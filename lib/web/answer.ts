import { STATUS_CODES } from 'node:http'
import type { HeaderList } from '../engine/port.ts'

/** A short answer in plain text. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: HeaderList
  /** The connection ends with it. */
  readonly closes?: true
}

export const answer = (status: number, text?: string, headers: HeaderList = []): Answer => ({
  status,
  text: text ?? STATUS_CODES[status] ?? '',
  headers,
})

export const isAnswer = (value: object): value is Answer => 'status' in value && 'text' in value && 'headers' in value
