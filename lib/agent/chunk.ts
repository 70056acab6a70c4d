import { Compile } from 'typebox/schema'
import type { Chunk } from '../../include-types/agent.ts'
import { Failure } from './failure.ts'

const text = { type: 'string' } as const
const count = { type: 'number', minimum: 0 } as const

/** Chunks that are not text, as they may come out of anybody's agent. */
const validator = Compile({
  anyOf: [
    { type: 'object', required: ['type'], properties: { type: { const: 'segment' } } },
    {
      type: 'object',
      required: ['type', 'text'],
      properties: { type: { const: 'message' }, text, media: { type: 'array', items: text }, replyTo: text },
    },
    {
      type: 'object',
      required: ['type', 'text'],
      properties: { type: { const: 'progress' }, text, kind: { enum: ['progress', 'tool_hint'] } },
    },
    { type: 'object', required: ['type', 'text'], properties: { type: { const: 'reasoning' }, text } },
    {
      type: 'object',
      required: ['type'],
      properties: { type: { const: 'usage' }, promptTokens: count, completionTokens: count, totalTokens: count },
    },
  ],
} as const)

export type Part = Exclude<Chunk, string>

/** A chunk that is not text. Throws for what is none. */
export function toPart(chunk: unknown): Part {
  if (validator.Check(chunk)) return chunk
  throw new Failure('agent_error', `The agent gave something that is no chunk (${typeof chunk})`)
}
