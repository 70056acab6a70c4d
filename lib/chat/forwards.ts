import type { Core } from './core.ts'
import { createdAt } from './core.ts'
import { Refusal } from './refusal.ts'
import type { Param } from './store/database.ts'

/** One of several messages that are sent on together. */
export interface ForwardNode {
  /** The number of who is said to have said it: it need not be anybody. */
  readonly user_num: number
  readonly nickname: string
  /** Seconds since 1970. */
  readonly sent_at: number
  /** JSON. */
  readonly segments: string
}

/** Of one bundle. */
const MAX_NODES = 200

/** Messages that are sent on together: a message has the bundle's id. */
export class Forwards {
  readonly #core: Core
  readonly #nodes
  readonly #insert
  readonly #insertNode

  constructor(core: Core) {
    this.#core = core
    const { db } = core
    this.#nodes = db.all((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('forward_nodes')
        .select(['user_num', 'nickname', 'sent_at', 'segments'])
        .where('forward_id', '=', p('id'))
        .orderBy('idx'),
    )
    this.#insert = db.run((q, p: Param<{ id: string; by: string; at: string }>) =>
      q.insertInto('forwards').values({ id: p('id'), created_by: p('by'), created_at: p('at') }),
    )
    this.#insertNode = db.run(
      (q, p: Param<{ id: string; idx: number; user: number; nickname: string; at: number; segments: string }>) =>
        q.insertInto('forward_nodes').values({
          forward_id: p('id'),
          idx: p('idx'),
          user_num: p('user'),
          nickname: p('nickname'),
          sent_at: p('at'),
          segments: p('segments'),
        }),
    )
  }

  /** In their order; none where there is no such bundle. Whoever knows its id reads it. */
  nodes(id: string): ForwardNode[] {
    return this.#nodes({ id })
  }

  // Changes

  /** LIMIT for too many. */
  make(user: string, nodes: readonly ForwardNode[]): string {
    if (nodes.length > MAX_NODES) throw new Refusal('LIMIT', `A bundle has ${MAX_NODES} messages at most`)
    const id = this.#core.ids.next()
    this.#insert({ id, by: user, at: createdAt(id) })
    for (const [idx, { user_num, nickname, sent_at, segments }] of nodes.entries()) {
      this.#insertNode({ id, idx, user: user_num, nickname, at: sent_at, segments })
    }
    return id
  }
}
