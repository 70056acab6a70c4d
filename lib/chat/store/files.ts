import { sql } from 'kysely'
import type { Media } from '../media.ts'
import type { Database, Param } from './database.ts'

/** What is kept of a file. */
export interface StoredFile {
  readonly id: string
  readonly name: string
  readonly kind: Media['kind']
  readonly mime: string
  readonly size: number
  readonly sha256: string
  readonly owner_id: string | null
  readonly channel_id: string | null
}

const COLUMNS = ['f.id', 'f.name', 'f.kind', 'b.mime', 'b.size', 'f.sha256', 'f.owner_id', 'f.channel_id'] as const

/** What there is to ask of files, and to write about them. */
export const prepareFiles = (db: Database) =>
  ({
    byId: db.first((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('files as f')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .select(COLUMNS)
        .where('f.id', '=', p('id')),
    ),
    some: db.all((q, p: Param<{ ids: string }>) =>
      q
        .selectFrom(sql<{ value: string; key: number }>`json_each(${p('ids')})`.as('wanted'))
        .innerJoin('files as f', 'f.id', 'wanted.value')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .select(COLUMNS)
        .orderBy('wanted.key'),
    ),
    place: db.first((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('channels')
        .select('id')
        .where('id', '=', p('id'))
        .unionAll(q.selectFrom('dm_channels').select('id').where('id', '=', p('id'))),
    ),
    storedBy: db.first((q, p: Param<{ user: string }>) =>
      q
        .selectFrom('files as f')
        .innerJoin('blobs as b', 'b.sha256', 'f.sha256')
        .where('f.owner_id', '=', p('user'))
        .select(({ fn }) => fn.sum<number | null>('b.size').as('bytes')),
    ),
    blob: db.first((q, p: Param<{ sha256: string }>) =>
      q.selectFrom('blobs').select('sha256').where('sha256', '=', p('sha256')),
    ),
    insertBlob: db.run((q, p: Param<{ sha256: string; size: number; mime: string; at: string }>) =>
      q
        .insertInto('blobs')
        .values({ sha256: p('sha256'), size: p('size'), mime: p('mime'), created_at: p('at') })
        .onConflict((on) => on.doNothing()),
    ),
    insert: db.run(
      (
        q,
        p: Param<{
          id: string
          sha256: string
          name: string
          kind: Media['kind']
          owner: string
          channel: string | null
          at: string
        }>,
      ) =>
        q.insertInto('files').values({
          id: p('id'),
          sha256: p('sha256'),
          name: p('name'),
          kind: p('kind'),
          owner_id: p('owner'),
          channel_id: p('channel'),
          created_at: p('at'),
        }),
    ),
    placeIn: db.run((q, p: Param<{ id: string; user: string; channel: string }>) =>
      q
        .updateTable('files')
        .set({ channel_id: p('channel') })
        .where('id', '=', p('id'))
        .where('owner_id', '=', p('user'))
        .where('channel_id', 'is', null),
    ),
    attach: db.run((q, p: Param<{ message: number; file: string }>) =>
      q.insertInto('message_files').values({ message_num: p('message'), file_id: p('file') }),
    ),
    detach: db.run((q, p: Param<{ message: number }>) =>
      q.deleteFrom('message_files').where('message_num', '=', p('message')),
    ),
    dropOf: db.run((q, p: Param<{ message: number }>) =>
      q
        .deleteFrom('files')
        .where('id', 'in', (eb) =>
          eb.selectFrom('message_files').select('file_id').where('message_num', '=', p('message')),
        )
        .where('id', 'not in', (eb) =>
          eb.selectFrom('message_files').select('file_id').where('message_num', '<>', p('message')),
        ),
    ),
    /** Whether those who see its channel can see it there: in a message, or an announcement. */
    shown: db.first((q, p: Param<{ id: string }>) =>
      q
        .selectFrom('message_files')
        .select('file_id')
        .where('file_id', '=', p('id'))
        .unionAll(
          q
            .selectFrom('notices')
            .select((one) => one.ref('file_id').$notNull().as('file_id'))
            .where('file_id', '=', p('id')),
        ),
    ),
    drop: db.run((q, p: Param<{ id: string }>) => q.deleteFrom('files').where('id', '=', p('id'))),
    /** Of channels that have gone with their messages. */
    dropGone: db.run((q) =>
      q
        .deleteFrom('message_files')
        .where('message_num', 'not in', (eb) => eb.selectFrom('messages').select('num'))
        .where('message_num', 'not in', (eb) => eb.selectFrom('dm_messages').select('num')),
    ),
    dropFiles: db.run((q, p: Param<{ before: string }>) =>
      q
        .deleteFrom('files')
        .where('created_at', '<', p('before'))
        .where('id', 'not in', (eb) => eb.selectFrom('message_files').select('file_id'))
        .where('id', 'not in', (eb) => eb.selectFrom('custom_emojis').select('file_id'))
        .where('id', 'not in', (eb) =>
          eb
            .selectFrom('users')
            .select((one) => one.ref('avatar_file').$notNull().as('id'))
            .where('avatar_file', 'is not', null),
        )
        .where('id', 'not in', (eb) =>
          eb
            .selectFrom('channels')
            .select((one) => one.ref('icon_file').$notNull().as('id'))
            .where('icon_file', 'is not', null),
        )
        .where('id', 'not in', (eb) =>
          eb
            .selectFrom('notices')
            .select((one) => one.ref('file_id').$notNull().as('id'))
            .where('file_id', 'is not', null),
        ),
    ),
    unused: db.all((q, p: Param<{ before: string }>) =>
      q
        .selectFrom('blobs')
        .select('sha256')
        .where('created_at', '<', p('before'))
        .where('sha256', 'not in', (eb) => eb.selectFrom('files').select('sha256')),
    ),
    dropBlob: db.run((q, p: Param<{ sha256: string }>) => q.deleteFrom('blobs').where('sha256', '=', p('sha256'))),
  }) as const

export type FileStatements = ReturnType<typeof prepareFiles>
