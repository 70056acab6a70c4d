import { expect } from 'vitest'
import { expectError, type Gateway, type Person } from './gateway.ts'

/** What is asked of the API: method, path and body. */
export type Attempt = readonly [method: string, path: string, body?: unknown]

/** An id that nothing has. */
export const NOWHERE = '01890000-0000-7000-8000-000000000000'

/**
 * What some people cannot see is answered to the byte as what is not there; the n-th attempt at the one is compared with the n-th
 * at the other.
 */
export async function expectUnseen(
  gateway: Gateway,
  people: readonly Person[],
  hidden: readonly Attempt[],
  missing: readonly Attempt[],
): Promise<void> {
  expect(hidden).toHaveLength(missing.length)
  for (const who of people) {
    for (const [index, [method, path, body]] of hidden.entries()) {
      const [, elsewhere = ''] = missing[index] ?? []
      const reply = await gateway.request(method, path, who, body)
      const expected = await gateway.request(method, elsewhere, who, body)
      expect([method, path, reply.status]).toEqual([method, path, 404])
      expectError(reply, 404, 'NOT_FOUND')
      expect(reply.text).toBe(expected.text)
      expect({ ...reply.headers, date: '' }).toEqual({ ...expected.headers, date: '' })
    }
  }
}

/** How requests are refused: each in its turn, with its status and word. */
export async function expectRefused(
  gateway: Gateway,
  attempts: readonly (readonly [
    status: number,
    code: string,
    as: Person | null,
    method: string,
    path: string,
    body?: unknown,
  ])[],
): Promise<void> {
  for (const [status, code, as, method, path, body] of attempts) {
    const reply = await gateway.request(method, path, as, body)
    expect([method, path, body, reply.status]).toEqual([method, path, body, status])
    expectError(reply, status, code)
  }
}
