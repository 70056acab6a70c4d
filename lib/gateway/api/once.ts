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
export const once = async (world: World, call: Call<unknown>, make: () => Reply): Promise<Reply> =>
  world.changes.run(keyed(world, call, make))

/** The same, of what is run inside a change. */
export function keyed(world: World, call: Call<unknown>, make: () => Reply): () => Reply {
  const { key, target } = call
  if (key === null) return make
  if (!KEY.test(key)) throw new Refusal('INVALID', 'Idempotency-Key has 1 to 64 visible characters')
  return () =>
    world.replies.once(userOf(call), target, key, () => {
      const { status, body } = make()
      return { status, body: String(body) }
    })
}
