import type { Database, Param } from './database.ts'

/** A question with answers to choose from. */
export interface Poll {
  readonly id: string
  readonly question: string
  readonly options: readonly { readonly id: string; readonly text: string; readonly votes: number }[]
  readonly total_votes: number
  /** What whoever looks at it has chosen; null: nothing. */
  readonly user_vote: string | null
}

/** What somebody has chosen. */
export interface Vote {
  readonly user_id: string
  readonly option_id: string
}

/** What is asked of, and done to, polls. */
export const preparePolls = (db: Database) => ({
  byId: db.first((q, p: Param<{ id: string }>) =>
    q
      .selectFrom('polls as p')
      .innerJoin('messages as m', 'm.id', 'p.message_id')
      .where('p.id', '=', p('id'))
      .select(['p.id', 'p.question', 'm.channel_id']),
  ),
  options: db.all((q, p: Param<{ poll: string }>) =>
    q
      .selectFrom('poll_options as o')
      .where('o.poll_id', '=', p('poll'))
      .select(['o.id', 'o.text'])
      .select((eb) =>
        eb
          .selectFrom('poll_votes as v')
          .whereRef('v.option_id', '=', 'o.id')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .$asScalar()
          .$notNull()
          .as('votes'),
      )
      .orderBy('o.idx'),
  ),
  votes: db.all((q, p: Param<{ poll: string }>) =>
    q.selectFrom('poll_votes').select(['user_id', 'option_id']).where('poll_id', '=', p('poll')),
  ),
  voteOf: db.first((q, p: Param<{ poll: string; user: string }>) =>
    q.selectFrom('poll_votes').select('option_id').where('poll_id', '=', p('poll')).where('user_id', '=', p('user')),
  ),
  insert: db.run((q, p: Param<{ id: string; message: string; question: string; by: string; at: string }>) =>
    q.insertInto('polls').values({
      id: p('id'),
      message_id: p('message'),
      question: p('question'),
      created_by: p('by'),
      created_at: p('at'),
    }),
  ),
  insertOption: db.run((q, p: Param<{ id: string; poll: string; idx: number; text: string }>) =>
    q.insertInto('poll_options').values({ id: p('id'), poll_id: p('poll'), idx: p('idx'), text: p('text') }),
  ),
  vote: db.run((q, p: Param<{ poll: string; user: string; option: string; at: string }>) =>
    q
      .replaceInto('poll_votes')
      .values({ poll_id: p('poll'), user_id: p('user'), option_id: p('option'), voted_at: p('at') }),
  ),
  delete: db.run((q, p: Param<{ message: string }>) => q.deleteFrom('polls').where('message_id', '=', p('message'))),
})
