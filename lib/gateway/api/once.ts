import { Refusal } from '../../chat/refusal.ts'
import type { World } from '../../chat/world.ts'
import { userOf } from './call.ts'
import type { Call, Reply } from './router.ts'

/** 1 to 64 visible characters of ASCII. */
const KEY = /^[!-~]{1,64}$/

/**
 * Changes the world, and answers. Where the request has an Idempotency-Key, one that comes again with it within ten minutes gets the
 * answer of the first, and nothing happens: clients may send what was not answered again.
 */
export async function once(world: World, call: Call<unknown>, make: () => Reply): Promise<Reply> {
  const { key, target } = call
  if (key === null) return world.changes.run(make)
  if (!KEY.test(key)) throw new Refusal('INVALID', 'Idempotency-Key has 1 to 64 visible characters')
  return world.changes.run(() => world.replies.once(userOf(call), target, key, make))
}
