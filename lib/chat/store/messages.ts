import { type ExpressionBuilder, type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database, Param } from './database.ts'
import type { Flag } from './flag.ts'
import type { AttachedFile } from '../files.ts'
import type { Poll } from './polls.ts'
import type { Tables } from './tables.ts'

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
  /** What it is made of, as JSON, where its author says more than text. */
  readonly segments: string | null
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
  readonly poll: Poll | null
  readonly files: readonly AttachedFile[]
}

interface Row extends Omit<Message, 'mention_user_ids' | 'poll' | 'files'> {
  readonly mentioned: string | null
  readonly poll_id: string | null
  readonly file_ids: string | null
}

const COLUMNS = [
  'm.num',
  'm.id',
  'm.channel_id',
  'm.seq',
  'm.author_id',
  'm.content',
  'm.reply_to',
  'm.thread_id',
  'm.segments',
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
    eb.selectFrom('polls').whereRef('polls.message_id', '=', 'm.id').select('polls.id').$asScalar().as('poll_id'),
    eb
      .selectFrom('message_files as file')
      .whereRef('file.message_num', '=', 'm.num')
      .select(sql<string | null>`group_concat(file.file_id)`.as('ids'))
      .$asScalar()
      .as('file_ids'),
  ] as const

const all = (q: Kysely<Tables>) =>
  q
    .selectFrom('messages as m')
    .select(COLUMNS)
    .select((eb) => columnsOf(eb))

/** Messages of a channel that are listed. */
const live = (q: Kysely<Tables>, channel: RawBuilder<string>) =>
  all(q).where('m.channel_id', '=', channel).where('m.thread_id', 'is', null).where('m.deleted', '=', 0)

/** What continues a message. */
const replies = (q: Kysely<Tables>, root: RawBuilder<string>) =>
  all(q).where('m.thread_id', '=', root).where('m.deleted', '=', 0)

/** A list in one value. */
export const splitIds = (ids: string | null): string[] => (ids === null ? [] : ids.split(',').toSorted())

/** What is read beside a message, by the ids that its row has. */
interface Polls {
  read(id: string, viewer: string | null): Poll
}
interface Files {
  read(ids: readonly string[]): readonly AttachedFile[]
}

/** Makes messages of rows, as somebody sees them. */
export const createReader =
  (polls: Polls, files: Files) =>
  (viewer: string | null) =>
  ({ mentioned, poll_id, file_ids, ...row }: Row): Message => ({
    ...row,
    mention_user_ids: splitIds(mentioned),
    poll: poll_id === null ? null : polls.read(poll_id, viewer),
    files: file_ids === null ? [] : files.read(splitIds(file_ids)),
  })

/** What is asked of, and done to, the messages of channels. */
export const prepareMessages = (db: Database) => ({
  byNum: db.first((q, p: Param<{ num: number }>) => all(q).where('m.num', '=', p('num'))),
  lastOf: db.first((q, p: Param<{ channel: string; author: string }>) =>
    q
      .selectFrom('channel_activity')
      .select('last_sent_at')
      .where('channel_id', '=', p('channel'))
      .where('user_id', '=', p('author')),
  ),
  spoke: db.run((q, p: Param<{ channel: string; author: string; at: string }>) =>
    q.replaceInto('channel_activity').values({ channel_id: p('channel'), user_id: p('author'), last_sent_at: p('at') }),
  ),
  byId: db.first((q, p: Param<{ id: string }>) => all(q).where('m.id', '=', p('id'))),
  newest: db.all((q, p: Param<{ channel: string; limit: number }>) =>
    live(q, p('channel')).orderBy('m.id', 'desc').limit(p('limit')),
  ),
  before: db.all((q, p: Param<{ channel: string; limit: number; cursor: string }>) =>
    live(q, p('channel')).where('m.id', '<', p('cursor')).orderBy('m.id', 'desc').limit(p('limit')),
  ),
  after: db.all((q, p: Param<{ channel: string; limit: number; cursor: string }>) =>
    live(q, p('channel')).where('m.id', '>', p('cursor')).orderBy('m.id').limit(p('limit')),
  ),
  firstReplies: db.all((q, p: Param<{ root: string; limit: number }>) =>
    replies(q, p('root')).orderBy('m.id').limit(p('limit')),
  ),
  repliesBefore: db.all((q, p: Param<{ root: string; limit: number; cursor: string }>) =>
    replies(q, p('root')).where('m.id', '<', p('cursor')).orderBy('m.id', 'desc').limit(p('limit')),
  ),
  repliesAfter: db.all((q, p: Param<{ root: string; limit: number; cursor: string }>) =>
    replies(q, p('root')).where('m.id', '>', p('cursor')).orderBy('m.id').limit(p('limit')),
  ),
  pins: db.all((q, p: Param<{ channel: string }>) =>
    all(q)
      .where('m.channel_id', '=', p('channel'))
      .where('m.pinned', '=', 1)
      .orderBy('m.pinned_at', 'desc')
      .orderBy('m.id', 'desc'),
  ),
  pinsOf: db.first((q, p: Param<{ channel: string }>) =>
    q
      .selectFrom('messages')
      .where('channel_id', '=', p('channel'))
      .where('pinned', '=', 1)
      .select(({ fn }) => [fn.countAll<number>().as('count'), fn.max('pinned_at').as('newest')]),
  ),
  family: db.all((q, p: Param<{ id: string }>) =>
    q
      .selectFrom('messages')
      .select('num')
      .where((eb) => eb.or([eb('id', '=', p('id')), eb('thread_id', '=', p('id'))])),
  ),
  setPin: db.run((q, p: Param<{ id: string; pinned: Flag; by: string | null; at: string | null }>) =>
    q
      .updateTable('messages')
      .set({ pinned: p('pinned'), pinned_by: p('by'), pinned_at: p('at') })
      .where('id', '=', p('id'))
      .where('pinned', '<>', p('pinned')),
  ),
  place: db.first((q, p: Param<{ id: string }>) =>
    q
      .selectFrom('messages')
      .select(['num', 'channel_id', 'author_id', 'thread_id', 'deleted', 'draft'])
      .where('id', '=', p('id')),
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
        segments: string | null
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
        segments: p('segments'),
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
  calm: db.run((q, p: Param<{ message: string }>) =>
    q
      .deleteFrom('message_reactions')
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
      .set({ content: p('content'), segments: null, mention_everyone: p('everyone'), edited_at: p('at') })
      .where('id', '=', p('id')),
  ),
  grow: db.run((q, p: Param<{ id: string; content: string; everyone: Flag; draft: Flag }>) =>
    q
      .updateTable('messages')
      .set({ content: p('content'), mention_everyone: p('everyone'), draft: p('draft') })
      .where('id', '=', p('id')),
  ),
  // What is deleted is gone; its place stays, so that nothing takes its number.
  delete: db.run((q, p: Param<{ id: string }>) =>
    q
      .updateTable('messages')
      .set({
        deleted: 1,
        content: '',
        segments: null,
        mention_everyone: 0,
        pinned: 0,
        pinned_by: null,
        pinned_at: null,
      })
      .where((eb) => eb.or([eb('id', '=', p('id')), eb('thread_id', '=', p('id'))])),
  ),
})

export type MessageStatements = ReturnType<typeof prepareMessages>
