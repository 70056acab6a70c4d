import { type ExpressionBuilder, type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database, Param } from './database.ts'
import type { Flag, Tables } from './tables.ts'

/** What was said in a channel. */
export interface Message {
  readonly num: number
  readonly id: string
  readonly channel_id: string
  /** Its place in the channel, from 1. */
  readonly seq: number
  /** Null when the account is gone. */
  readonly author_id: string | null
  /** '' once deleted. */
  readonly content: string
  readonly reply_to: string | null
  /** The message that it continues, in a thread. */
  readonly thread_id: string | null
  readonly mention_everyone: Flag
  readonly pinned: Flag
  readonly pinned_by: string | null
  readonly pinned_at: string | null
  readonly edited_at: string | null
  readonly deleted: Flag
  readonly draft: Flag
  readonly created_at: string
  /** In order, each once. */
  readonly mention_user_ids: readonly string[]
  readonly thread_reply_count: number
}

type Row = Omit<Message, 'mention_user_ids'> & { readonly mentioned: string | null }

const COLUMNS = [
  'm.num',
  'm.id',
  'm.channel_id',
  'm.seq',
  'm.author_id',
  'm.content',
  'm.reply_to',
  'm.thread_id',
  'm.mention_everyone',
  'm.pinned',
  'm.pinned_by',
  'm.pinned_at',
  'm.edited_at',
  'm.deleted',
  'm.draft',
  'm.created_at',
] as const

const columnsOf = (eb: ExpressionBuilder<Tables & { m: Tables['messages'] }, 'm'>) =>
  [
    eb
      .selectFrom('messages as reply')
      .whereRef('reply.thread_id', '=', 'm.id')
      .where('reply.deleted', '=', 0)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .$asScalar()
      .$notNull()
      .as('thread_reply_count'),
    eb
      .selectFrom('message_mentions as who')
      .whereRef('who.message_id', '=', 'm.id')
      .select(sql<string | null>`group_concat(who.user_id)`.as('ids'))
      .$asScalar()
      .as('mentioned'),
  ] as const

/** Messages of a channel that are listed. */
const live = (q: Kysely<Tables>, channel: RawBuilder<string>) =>
  q
    .selectFrom('messages as m')
    .where('m.channel_id', '=', channel)
    .where('m.thread_id', 'is', null)
    .where('m.deleted', '=', 0)
    .select(COLUMNS)
    .select((eb) => columnsOf(eb))

export const toMessage = ({ mentioned, ...row }: Row): Message => ({
  ...row,
  mention_user_ids: mentioned === null ? [] : mentioned.split(',').toSorted(),
})

/** What is asked of, and done to, the messages of channels. */
export const prepareMessages = (db: Database) => ({
  byId: db.first((q, p: Param<{ id: string }>) =>
    q
      .selectFrom('messages as m')
      .where('m.id', '=', p('id'))
      .select(COLUMNS)
      .select((eb) => columnsOf(eb)),
  ),
  newest: db.all((q, p: Param<{ channel: string; limit: number }>) =>
    live(q, p('channel')).orderBy('m.id', 'desc').limit(p('limit')),
  ),
  before: db.all((q, p: Param<{ channel: string; limit: number; cursor: string }>) =>
    live(q, p('channel')).where('m.id', '<', p('cursor')).orderBy('m.id', 'desc').limit(p('limit')),
  ),
  after: db.all((q, p: Param<{ channel: string; limit: number; cursor: string }>) =>
    live(q, p('channel')).where('m.id', '>', p('cursor')).orderBy('m.id').limit(p('limit')),
  ),
  place: db.first((q, p: Param<{ id: string }>) =>
    q.selectFrom('messages').select(['channel_id', 'author_id', 'thread_id', 'deleted']).where('id', '=', p('id')),
  ),
  bump: db.run((q, p: Param<{ channel: string; id: string; seq: number }>) =>
    q
      .updateTable('channels')
      .set({ last_seq: p('seq'), last_message_id: p('id') })
      .where('id', '=', p('channel')),
  ),
  insert: db.run(
    (
      q,
      p: Param<{
        num: number
        id: string
        channel: string
        seq: number
        author: string
        content: string
        reply_to: string | null
        thread_id: string | null
        everyone: Flag
        draft: Flag
        at: string
      }>,
    ) =>
      q.insertInto('messages').values({
        num: p('num'),
        id: p('id'),
        channel_id: p('channel'),
        seq: p('seq'),
        author_id: p('author'),
        content: p('content'),
        reply_to: p('reply_to'),
        thread_id: p('thread_id'),
        mention_everyone: p('everyone'),
        pinned: 0,
        deleted: 0,
        draft: p('draft'),
        created_at: p('at'),
      }),
  ),
  mention: db.run((q, p: Param<{ user: string; channel: string; message: string }>) =>
    q.insertInto('message_mentions').values({
      user_id: p('user'),
      channel_id: p('channel'),
      message_id: p('message'),
    }),
  ),
  forget: db.run((q, p: Param<{ message: string }>) =>
    q
      .deleteFrom('message_mentions')
      .where((eb) =>
        eb.or([
          eb('message_id', '=', p('message')),
          eb('message_id', 'in', eb.selectFrom('messages').select('id').where('thread_id', '=', p('message'))),
        ]),
      ),
  ),
  edit: db.run((q, p: Param<{ id: string; content: string; everyone: Flag; at: string }>) =>
    q
      .updateTable('messages')
      .set({ content: p('content'), mention_everyone: p('everyone'), edited_at: p('at') })
      .where('id', '=', p('id')),
  ),
  // What is deleted is gone; its place stays, so that nothing takes its number.
  delete: db.run((q, p: Param<{ id: string }>) =>
    q
      .updateTable('messages')
      .set({ deleted: 1, content: '', mention_everyone: 0, pinned: 0, pinned_by: null, pinned_at: null })
      .where((eb) => eb.or([eb('id', '=', p('id')), eb('thread_id', '=', p('id'))])),
  ),
})

export type MessageStatements = ReturnType<typeof prepareMessages>
